from django.urls import path

from connections_app.contacts.views import contacts, files

urlpatterns = [
    path("", contacts.show_contacts, name="contacts"),
    path("for/", contacts.contact_for, name="contact_for"),
    path("new/", contacts.new_contact, name="contact_new"),
    path("put-back/", contacts.restore_contact, name="contact_put_back"),
    path("import/", files.import_contacts, name="import_contacts"),
    path("import/<uuid:import_id>/", files.contact_import, name="contact_import"),
    path("export/", files.export_contacts, name="export_contacts"),
    path("<int:pk>/", contacts.contact, name="contact"),
    path("<int:pk>/delete/", contacts.delete_contact, name="contact_delete"),
]
