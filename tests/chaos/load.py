"""Very many uploads through the functions' real code, with every call to AWS counted."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.chaos.cloud import Cloud
from tests.chaos.storage import MemoryStorage

PAGE = 1000
LABELS = [f"Label {number:02}" for number in range(12)]


class LargeStorage(MemoryStorage):
    """Lists a thousand keys a page, as S3 does, and sorts them once."""

    def __init__(self) -> None:
        super().__init__()
        self._sorted: list[str] = []

    def list_objects_v2(self, Prefix: str = "", Delimiter: str = "", **request: Any) -> dict[str, Any]:  # noqa: N803
        """One page of keys after the last one given."""
        if Prefix or Delimiter:
            return super().list_objects_v2(Prefix, Delimiter, **request)
        if len(self._sorted) != len(self.contents):
            self._sorted = sorted(self.contents)
        first = bisect_right(self._sorted, request.get("ContinuationToken", request.get("StartAfter", "")))
        page = self._sorted[first : first + PAGE]
        more = {"NextContinuationToken": page[-1]} if len(self._sorted) > first + PAGE else {}
        return {"Contents": [{"Key": k, "ETag": self.etags[k], "Size": len(self.contents[k])} for k in page], **more}


class LoadedCloud(Cloud):
    """A cloud whose calls are counted by operation, and its functions' invocations by name."""

    def __init__(self) -> None:
        super().__init__(storage=LargeStorage())
        self.called: Counter[str] = Counter()
        self.invoked: Counter[str] = Counter()
        self.most_waiting = 0
        self._call = self.faults.call
        self.faults.call = self._counted  # type: ignore[method-assign]

    def invoke(self, function: Any, event: Any, *, answers: bool = True) -> Any:
        """A function's answer, counted."""
        self.invoked[function.__name__] += 1
        return super().invoke(function, event, answers=answers)

    def upload_many(self, uploads: int, a_second: int, doubled: float, seed: int) -> None:
        """Images come steadily; some of their events come twice, and those of one second in any order."""
        chance = random.Random(seed)
        for first in range(0, uploads, a_second):
            for number in range(first, min(first + a_second, uploads)):
                key = f"seedlings/{LABELS[number % len(LABELS)]}/{number:07}.png"
                self.upload(key, str(number).encode())
                if chance.random() < doubled:
                    self.uploads.send_message(MessageBody=self.uploads.messages[-1].body)
            chance.shuffle(self.uploads.messages)
            self.most_waiting = max(self.most_waiting, len(self.uploads.messages))
            self.flow(1)

    def _counted(self, operation: str, effect: Callable[[], Any]) -> Any:
        self.called[operation] += 1
        return self._call(operation, effect)
