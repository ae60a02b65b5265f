from courses.core.plan_wire import answer_plan
from courses.management.operation import OperationCommand


class Command(OperationCommand):
    help = "Plan the sessions ahead of a course given as JSON, without the database: slots, cost, notes."

    def answer(self, request: object) -> dict[str, object]:
        return answer_plan(request)
