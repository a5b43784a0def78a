"""GET /crm/api/customer/{customer_id}/hosting-performance: how a customer's machines do."""

from crm_services.access.roles import Permission
from crm_services.fleet.performance import performance_json
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.schemas.performance import PerformanceAnswer

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-performance", responses=answers(PerformanceAnswer, 404))
def hosting_performance(customer_id: CustomerId) -> Json:
    """How a customer's machines do: hashrate against their models', temperature, rejects, health, silence, uptime.

    Live, as the hosting module's collector wrote it last; 404 where machines come from another table (MACHINE_SOURCE).
    A customer without an account has `has_hosting` false and zeros.
    """
    return ok(performance_json(api.transaction, customer_id))
