from django.urls import path, re_path

from api import views

app_name = "api"
urlpatterns = [
    path("assess/", views.AssessView.as_view(), name="assess"),
    path("plan/", views.PlanView.as_view(), name="plan"),
    path("clinic/", views.ClinicView.as_view(), name="clinic"),
    re_path("", views.UnknownView.as_view(), name="unknown"),
]
