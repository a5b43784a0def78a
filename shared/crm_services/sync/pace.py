"""How many customers a statement takes on: many, unless one of them makes it fail."""


class Pace:
    """The size of the next stretch of customers.

    When a statement fails, one customer of its stretch is at fault: half of the suspects are tried until it stands
    alone, in log2(n) statements. From there on as many are taken as went well between the last two faults, and twice
    as many each time.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._stride = largest
        self._suspects = 0
        self._well = largest

    @property
    def size(self) -> int:
        """How many customers to take next."""
        return max(1, self._suspects // 2) if self._suspects else self._stride

    def went_well(self, count: int) -> None:
        """So many customers were done; whoever is at fault is one of the others."""
        self._well += count
        if self._suspects:
            self._suspects = max(0, self._suspects - count)
        else:
            self._stride = min(self._largest, 2 * self._stride)

    def failed(self, count: int) -> bool:
        """One of so many customers made the statement fail; whether it stands alone now, and is passed over."""
        if count > 1:
            self._suspects = count
            return False
        self._suspects = 0
        self._stride = max(1, min(self._largest, self._well))
        self._well = 0
        return True
