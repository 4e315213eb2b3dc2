"""One word for rows of Sift's list that could not become calls: unusable."""

from django.db import migrations

RENAME_RIGHTS = """
    UPDATE auth_permission AS permission SET codename = replace(codename, '{old}', '{new}')
    FROM django_content_type AS type
    WHERE type.id = permission.content_type_id AND type.app_label = 'connections_app'
        AND codename IN ('add_{old}', 'change_{old}', 'delete_{old}', 'view_{old}')
"""


class Migration(migrations.Migration):
    dependencies = [("connections_app", "0011_names_and_records")]

    operations = [
        migrations.RenameModel("KeptAside", "UnusableRow"),
        migrations.RenameField("Walk", "rejected", "unusable"),
        migrations.RunSQL(
            RENAME_RIGHTS.format(old="keptaside", new="unusablerow"),
            RENAME_RIGHTS.format(old="unusablerow", new="keptaside"),
        ),
        migrations.AlterModelOptions(
            "UnusableRow", {"ordering": ("-last_seen_at", "-id"), "verbose_name_plural": "unusable rows"}
        ),
    ]
