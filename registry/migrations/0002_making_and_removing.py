import datetime
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("is_approval", models.BooleanField()),
                ("reason", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "usage_operation",
                    models.CharField(
                        blank=True,
                        help_text="For example RunInstances:0010.",
                        max_length=64,
                        verbose_name="expected code",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("viewer", "Viewer"),
                            ("developer", "Developer"),
                            ("finops", "FinOps"),
                            ("engineer", "Engineer"),
                            ("admin", "Admin"),
                            ("operator", "The command line"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "operation",
                    models.CharField(
                        blank=True,
                        choices=[("make", "Make an image"), ("remove", "Discard an image")],
                        max_length=16,
                    ),
                ),
                (
                    "is_risky",
                    models.BooleanField(
                        default=False,
                        help_text="Only where the code will probably be lost, or nobody knows.",
                        verbose_name="only if risky",
                    ),
                ),
                (
                    "approvals",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "None"), (1, "One other person"), (2, "Two other persons")],
                        default=1,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
            },
        ),
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_undo", models.BooleanField(default=False)),
                ("reason", models.TextField()),
                (
                    "hold_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until then anybody concerned can keep an image.",
                        null=True,
                    ),
                ),
                (
                    "cooling",
                    models.DurationField(
                        default=datetime.timedelta(0),
                        help_text="Between disabling and deregistering.",
                    ),
                ),
                ("only_disables", models.BooleanField(default=False)),
                ("deletes_snapshots", models.BooleanField(default=False)),
                (
                    "is_forced",
                    models.BooleanField(
                        default=False, help_text="Also what is in use, as far as the use was shown."
                    ),
                ),
                ("is_paused", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="RemovalItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("marked", "Marked"),
                            ("disabled", "Disabled"),
                            ("deregistered", "Deregistered"),
                            ("restored", "Restored"),
                            ("kept", "Kept by request"),
                            ("in_use", "Kept: in use"),
                            ("failed", "Failed"),
                        ],
                        default="marked",
                        max_length=16,
                    ),
                ),
                ("act_at", models.DateTimeField(help_text="When its next step is due.")),
                (
                    "submitted_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Set before a request is sent: from then on, look first.",
                        null=True,
                    ),
                ),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("deregistered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tries",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Of the step that failed last."
                    ),
                ),
                (
                    "uses_shown",
                    models.JSONField(
                        blank=True, default=list, help_text="What used it when it was asked for."
                    ),
                ),
                (
                    "uses",
                    models.JSONField(
                        blank=True, default=list, help_text="What used it at the last look."
                    ),
                ),
                (
                    "permissions",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Launch permissions that AWS does not give back.",
                    ),
                ),
                (
                    "snapshots",
                    models.JSONField(
                        blank=True, default=list, help_text="What AWS did with each snapshot."
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("error", models.TextField(blank=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="registry_run_one_active_sync_per_scope",
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="registry_run_over_has_its_time",
        ),
        migrations.AddField(
            model_name="event",
            name="run",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="registry.run",
            ),
        ),
        # The timeline moves from the registration to its run.
        migrations.RunSQL(
            """
            SET CONSTRAINTS ALL IMMEDIATE;
            UPDATE registry_event SET run_id = registration.run_id
            FROM registry_registration registration
            WHERE registration.id = registry_event.registration_id;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="event",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="registry.run",
            ),
        ),
        migrations.RemoveField(
            model_name="event",
            name="registration",
        ),
        migrations.AddField(
            model_name="event",
            name="subject",
            field=models.CharField(
                blank=True, help_text="The image, where one of many.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="batch",
            field=models.UUIDField(
                blank=True,
                db_index=True,
                help_text="Of those that were asked for together.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="block_devices",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="The further devices, as AWS names their members.",
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="copies_tags",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="delete_on_termination",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="differences",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Of boot and hardware: what, wanted, found, of what.",
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="ena_support",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="image_location",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AddField(
            model_name="registration",
            name="iops",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="is_encrypted",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="registration",
            name="kernel_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="registration",
            name="kms_key_id",
            field=models.CharField(blank=True, max_length=2048),
        ),
        migrations.AddField(
            model_name="registration",
            name="method",
            field=models.CharField(
                choices=[
                    ("snapshot", "A snapshot"),
                    ("instance", "An instance"),
                    ("copy", "A copy of an image"),
                    ("manifest", "An S3 manifest"),
                ],
                default="snapshot",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="no_reboot",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="registration",
            name="prediction",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="registration",
            name="ramdisk_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="registration",
            name="readings",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="The answers of AWS on which the verdict stands.",
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="reason",
            field=models.TextField(
                blank=True, help_text="Why, although another way is recommended."
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="snapshot_tags",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="registration",
            name="source_image_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="registration",
            name="source_instance_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="registration",
            name="source_region",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="registration",
            name="sriov_net_support",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name="registration",
            name="throughput",
            field=models.PositiveIntegerField(blank=True, help_text="MiB/s", null=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="tpm_support",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name="registration",
            name="uefi_data",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="virtualization_type",
            field=models.CharField(default="hvm", max_length=16),
        ),
        migrations.AddField(
            model_name="registration",
            name="volume_size",
            field=models.PositiveIntegerField(blank=True, help_text="GiB", null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="approvals_needed",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="run",
            name="is_trial",
            field=models.BooleanField(
                default=False, help_text="It is held after the checks until somebody confirms it."
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="policy",
            field=models.CharField(
                blank=True, help_text="Name of the policy that says who must agree.", max_length=100
            ),
        ),
        migrations.AlterField(
            model_name="registration",
            name="snapshot_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name="registration",
            name="submitted_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Set before the request is sent: from then on, look first.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="registration",
            name="volume_type",
            field=models.CharField(blank=True, default="gp3", max_length=16),
        ),
        migrations.AlterField(
            model_name="run",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sync", "Sync inventory"),
                    ("audit", "Audit"),
                    ("verify", "Verify again"),
                    ("register", "Register image"),
                    ("remove", "Discard images"),
                    ("report", "Report"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("waiting", "Waiting on AWS"),
                    ("held", "Needs a decision"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                ],
                default="queued",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("method", "snapshot"), models.Q(("snapshot_id", ""), _negated=True)),
                    models.Q(
                        ("method", "instance"), models.Q(("source_instance_id", ""), _negated=True)
                    ),
                    models.Q(
                        ("method", "copy"),
                        models.Q(("source_image_id", ""), _negated=True),
                        models.Q(("source_region", ""), _negated=True),
                    ),
                    models.Q(
                        ("method", "manifest"), models.Q(("image_location", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="registry_registration_names_its_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind", "sync"), ("state__in", ("queued", "running", "waiting", "held"))
                ),
                fields=("scope",),
                name="registry_run_one_active_sync_per_scope",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("finished_at__isnull", False), ("state__in", ("succeeded", "failed"))
                    ),
                    models.Q(
                        ("finished_at", None),
                        ("state__in", ("queued", "running", "waiting", "held")),
                    ),
                    _connector="OR",
                ),
                name="registry_run_over_has_its_time",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="decisions",
                to="registry.run",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="policies",
                to="registry.account",
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="run",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removal",
                to="registry.run",
            ),
        ),
        migrations.AddField(
            model_name="removalitem",
            name="image",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removals",
                to="registry.image",
            ),
        ),
        migrations.AddField(
            model_name="removalitem",
            name="removal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="registry.removal",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                fields=("run", "by"), name="registry_decision_once_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="registry_decision_has_its_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.UniqueConstraint(
                fields=("account", "usage_operation", "role", "operation", "is_risky"),
                name="registry_policy_one_for_each_case",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("approvals__lte", 2)), name="registry_policy_two_at_most"
            ),
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="registry_removal_has_its_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="removalitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("marked", "disabled"))),
                fields=("image",),
                name="registry_removalitem_one_active_per_image",
            ),
        ),
        migrations.AddConstraint(
            model_name="removalitem",
            constraint=models.UniqueConstraint(
                fields=("removal", "image"), name="registry_removalitem_once_per_removal"
            ),
        ),
        migrations.AddConstraint(
            model_name="removalitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "failed"), _negated=True),
                    models.Q(("error", ""), _negated=True),
                    _connector="OR",
                ),
                name="registry_removalitem_failed_says_why",
            ),
        ),
    ]
