"""The lab's scripted faults; operations are the OpenAPI document's ids: ``faults.on("create_message").after(2).rate_limit(7)``."""

from tests.lab.faults import Fault, Faults, Rule

__all__ = ["Fault", "Faults", "Rule"]
