"""AddTags, ListTags and DeleteTags."""

from collections.abc import Sequence

from .errors import Invalid, NotFound
from .kinds import Body
from .records.store import Store

MAX_TAGS = 50


def check(tags: Sequence[dict[str, str]]) -> None:
    """Raises Invalid for keys that occur twice or begin with aws:."""
    keys = [tag["Key"] for tag in tags]
    for key in keys:
        if keys.count(key) > 1:
            raise Invalid(f"The tag key '{key}' is given twice in Tags.")
        if key.lower().startswith("aws:"):
            raise Invalid(f"The tag key '{key}' begins with aws:, which is reserved for AWS.")


def take(request: Body) -> list[dict[str, str]]:
    """Takes the Tags out of a Create call's request. Raises Invalid where they break a rule."""
    tags: list[dict[str, str]] = request.pop("Tags", [])
    check(tags)
    return tags


def add_tags(store: Store, request: Body) -> Body:
    arn = known_arn(store, request["ResourceArn"])
    check(request["Tags"])
    with store.transaction():
        store.add_tags(arn, request["Tags"])
        tags = store.tags(arn)
        if len(tags) > MAX_TAGS:
            raise Invalid(f"A resource can have at most {MAX_TAGS} tags, but {arn} would have {len(tags)}.")
    return {"Tags": tags}


def list_tags(store: Store, request: Body) -> Body:
    return {"Tags": store.tags(known_arn(store, request["ResourceArn"]))}


def delete_tags(store: Store, request: Body) -> Body:
    store.delete_tags(known_arn(store, request["ResourceArn"]), request["TagKeys"])
    return {}


def known_arn(store: Store, arn: str) -> str:
    """The ARN itself. Raises NotFound if no job here has it."""
    if not store.has_arn(arn):
        raise NotFound(f"There is no resource {arn}.")
    return arn
