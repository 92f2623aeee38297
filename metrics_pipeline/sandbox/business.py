"""What else a simulated application keeps: orders, licences that are renewed or not, the use of assets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_pipeline.sandbox.draws import draws
from metrics_pipeline.windows import DAY, midnight

ORDERS_A_DAY = 40
CUSTOMERS = 300
LICENCES = 150
ASSETS = 24
# Industry and the share of its licences that are renewed.
INDUSTRIES = (("retail", 0.62), ("health", 0.88), ("logistics", 0.75), ("finance", 0.91), ("education", 0.7))
# Category, the hours an asset of it is there for, and the share of them that it is in use.
CATEGORIES = (("vehicle", 16.0, 0.55), ("crane", 12.0, 0.35), ("press", 24.0, 0.8), ("laptop", 10.0, 0.6))

Row = tuple[object, ...]


@dataclass(frozen=True)
class Business:
    """Orders, licences and assets since the first day, as they stand at `until`."""

    seed: int
    first_day: date
    until: datetime

    def orders(self, day: date) -> Iterator[Row]:
        """id, customer_id, amount_cents, created_at."""
        busy = 0.6 + 0.8 * draws(self.seed, "orders", day)[0]
        for n in range(round(ORDERS_A_DAY * busy)):
            d = draws(self.seed, "order", day, n)
            created = midnight(day) + timedelta(seconds=int(d[0] * 86_400))
            if created <= self.until:
                amount = 500 + int(20_000 * d[1] ** 3)
                yield f"o-{day:%Y%m%d}-{n}", f"customer-{int(d[2] ** 1.7 * CUSTOMERS)}", amount, created

    def licences(self) -> Iterator[Row]:
        """id, industry, expires_at, renewed: decided three days before the licence ends."""
        for n in range(LICENCES):
            d = draws(self.seed, "licence", n)
            industry, share = INDUSTRIES[n % len(INDUSTRIES)]
            expires = midnight(self.first_day + DAY * (int(d[0] * 300) - 60))
            is_renewed = d[1] < share and self.until >= expires - 3 * DAY
            yield f"l-{n}", industry, expires, is_renewed

    def assets(self, day: date) -> Iterator[Row]:
        """id, category, hours_used, hours_available, date: written when the day is over."""
        if self.until < midnight(day + DAY):
            return
        for n in range(ASSETS):
            d = draws(self.seed, "asset", n, day)
            category, hours, share = CATEGORIES[n % len(CATEGORIES)]
            available = hours if d[0] > 0.1 else round(hours * d[1], 1)
            yield f"a-{n}", category, round(available * min(1.0, share * (0.5 + d[2])), 1), available, day
