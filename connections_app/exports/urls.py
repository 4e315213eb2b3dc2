from django.urls import path

from connections_app.exports import views as exports

urlpatterns = [
    path("", exports.exports, name="exports"),
    path("<int:pk>/", exports.show_export, name="export"),
    path("<int:pk>/file/", exports.fetch_export, name="fetch_export"),
    path("<int:pk>/stop/", exports.stop_export, name="stop_export"),
    path("<int:pk>/again/", exports.start_export_again, name="start_export_again"),
    path("<int:pk>/delete/", exports.delete_export, name="delete_export"),
]
