"""Images: what AWS says of an AMI, and what we make of it."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from registry.models.instance import Instance
from registry.models.mirror import Mirror, MirrorQuerySet


class ImageVerdict(models.TextChoices):
    OK = "ok", "Verified"
    LOST = "lost", "Code lost"
    PARTIAL = "partial", "Code incomplete"
    UNEXPECTED = "unexpected", "Extra charge"
    WRONG = "wrong", "Wrong code"
    EXCUSED = "excused", "Excused"
    UNKNOWN = "unknown", "No evidence"
    PENDING = "", "Not judged yet"


MISMATCHES = (
    ImageVerdict.LOST,
    ImageVerdict.PARTIAL,
    ImageVerdict.UNEXPECTED,
    ImageVerdict.WRONG,
)


class Confidence(models.TextChoices):
    STRONG = "strong", "Strong"
    MEDIUM = "medium", "Medium"
    WEAK = "weak", "Weak"
    NONE = "none", "None"


class ImageQuerySet(MirrorQuerySet["Image"]):
    def search(self, words: str) -> Self:
        """Leave what has the words in its name, description or tags, or starts so in its id."""
        return self.filter(
            Q(name__icontains=words)
            | Q(aws_id__startswith=words)
            | Q(description__icontains=words)
            | Q(tags__icontains=words)
        )

    def mismatched(self) -> Self:
        return self.filter(verdict__in=MISMATCHES)

    def descended_from(self, aws_id: str) -> Self:
        """Leave the images in whose lineage there is a thing of this id."""
        # The index finds what looked for it at all.
        looked_for_it = self.filter(ancestors__contains=[aws_id]).exclude(aws_id=aws_id)
        return looked_for_it.filter(lineage__contains=[{"aws_id": aws_id}])

    def for_list(self) -> Self:
        """Add all that a row of the images page shows, in one query."""
        launched = (
            Instance.objects.present()
            .running()
            .filter(image_id=OuterRef("aws_id"))
            .order_by()
            .values("image_id")
            .annotate(number=Count("pk"))
            .values("number")
        )
        return self.select_related("account").annotate(
            running=Coalesce(Subquery(launched), 0),
            open_findings=Count("findings", filter=Q(findings__resolved_at=None)),
        )


class Image(Mirror):
    """An AMI that an account owns."""

    # What AWS says. A code that was never recorded is NULL; one that AWS left empty is "".
    name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    owner_id = models.CharField(max_length=32, blank=True)
    owner_alias = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=32, blank=True)
    state_reason = models.TextField(blank=True)
    is_public = models.BooleanField(default=False)
    architecture = models.CharField(max_length=32, blank=True)
    platform = models.CharField(max_length=32, blank=True)
    platform_details = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    usage_operation = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    product_codes = models.JSONField(default=list, blank=True)
    root_device_type = models.CharField(max_length=32, blank=True)
    root_device_name = models.CharField(max_length=64, blank=True)
    root_snapshot_id = models.CharField(max_length=64, blank=True, db_index=True)
    virtualization_type = models.CharField(max_length=32, blank=True)
    boot_mode = models.CharField(max_length=32, blank=True)
    tpm_support = models.CharField(max_length=16, blank=True)
    imds_support = models.CharField(max_length=16, blank=True)
    ena_support = models.BooleanField(null=True, blank=True)
    block_devices = models.JSONField(default=list, blank=True)
    source_instance_id = models.CharField(max_length=64, blank=True)
    source_image_id = models.CharField(max_length=64, blank=True)
    source_image_region = models.CharField(max_length=32, blank=True)
    image_location = models.TextField(blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    deprecated_at = models.DateTimeField(null=True, blank=True)
    last_launched_at = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    # Read only of images with a product code, and where the parent is not in the mirror. None:
    # not read.
    launch_permissions = models.JSONField(null=True, blank=True)
    ancestry = models.JSONField(
        null=True, blank=True, help_text="What GetImageAncestry answered, nearest first."
    )

    # What a person or a registration declared, and what the last audit made of it all.
    declared = models.CharField(
        max_length=64, blank=True, help_text="The usage operation it must have, if declared."
    )
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    declared_at = models.DateTimeField(null=True, blank=True)
    declared_because = models.TextField(blank=True)
    verdict = models.CharField(
        max_length=16, choices=ImageVerdict.choices, blank=True, default=ImageVerdict.PENDING
    )
    expected_usage_operation = models.CharField(  # noqa: DJ001
        max_length=64, null=True, blank=True
    )
    expected_platform = models.CharField(max_length=255, blank=True)
    confidence = models.CharField(
        max_length=16, choices=Confidence.choices, default=Confidence.NONE
    )
    source = models.CharField(max_length=16, blank=True)
    missing = models.JSONField(default=list, blank=True)
    unexpected = models.JSONField(default=list, blank=True)
    evidence = models.JSONField(default=list, blank=True)
    lineage = models.JSONField(default=list, blank=True)
    ancestors = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        help_text="The ids of all that its lineage names or looked for.",
    )
    judged_at = models.DateTimeField(null=True, blank=True)  # since when it has been judged so

    objects = ImageQuerySet.as_manager()

    class Meta(Mirror.Meta):
        indexes = [
            *Mirror.Meta.indexes,
            GinIndex(fields=["ancestors"], name="registry_image_ancestors"),
        ]
        constraints = [
            *Mirror.Meta.constraints,
            models.CheckConstraint(
                condition=Q(verdict__in=ImageVerdict.values),
                name="registry_image_verdict_is_one_of_ours",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.aws_id

    def get_absolute_url(self) -> str:
        return reverse("images:detail", args=[self.aws_id])
