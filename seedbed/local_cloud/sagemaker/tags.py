"""AddTags and ListTags."""

from .errors import Invalid, NotFound
from .kinds import Body
from .store import Store

MOST = 50


def add_tags(store: Store, request: Body) -> Body:
    arn = known_arn(store, request["ResourceArn"])
    with store.transaction():
        store.add_tags(arn, request["Tags"])
        tags = store.tags(arn)
        if len(tags) > MOST:
            raise Invalid(f"A resource can have at most {MOST} tags, but {arn} would have {len(tags)}.")
    return {"Tags": tags}


def list_tags(store: Store, request: Body) -> Body:
    return {"Tags": store.tags(known_arn(store, request["ResourceArn"]))}


def known_arn(store: Store, arn: str) -> str:
    """Raises NotFound for an ARN of no job here."""
    if not store.has_arn(arn):
        raise NotFound(f"There is no resource {arn}.")
    return arn
