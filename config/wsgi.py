"""The WSGI application that the web server imports."""

import os

from django.core.wsgi import get_wsgi_application

# Without it a page's wake-ups would be sent to Celery's own default, where nobody is.
from config.celery import app as queue
from config.web import warm_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

warm_up()

__all__ = ["application", "queue"]
