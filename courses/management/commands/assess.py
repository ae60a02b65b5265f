from courses.core.wire import answer_assess
from courses.management.operation import OperationCommand


class Command(OperationCommand):
    help = "Assess a course given as JSON, without the database: state, gaps, measures, findings, next check."

    def answer(self, request: object) -> dict[str, object]:
        return answer_assess(request)
