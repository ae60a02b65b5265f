from django.urls import path

from api.hooks import views

app_name = "hooks"
urlpatterns = [
    path("sms/<uuid:code>/", views.receive_sms, name="sms"),
    path("reports/<uuid:code>/", views.receive_report, name="reports"),
    path("email/", views.receive_email_reports, name="email"),
]
