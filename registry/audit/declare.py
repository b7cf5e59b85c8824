"""What somebody declares an image to be billed as."""

from datetime import datetime

from django.contrib.auth.models import User

from registry.audit.rows import alone_on
from registry.audit.run import judge_images
from registry.models import Change, ChangeField, Image, Touched


def declare(
    image: Image, code: str, *, by: User | None = None, because: str = "", at: datetime
) -> None:
    """Write what is declared of an image, or with "" that nothing is, and judge it at once.

    Without a person, its registration declares it.
    """
    with alone_on(Image):
        row = Image.objects.get(pk=image.pk)
        before, row.declared = row.declared, code
        row.declared_by, row.declared_at, row.declared_because = by, at, because
        row.save(update_fields=["declared", "declared_by", "declared_at", "declared_because"])
        if before != code:
            Change.objects.create(
                image=row,
                field=ChangeField.DECLARED,
                before=before or None,
                after=code or None,
                at=at,
            )
        # An audit under way may have judged it before, and would have the last word.
        Touched.objects.create(kind="image", aws_id=row.aws_id)
        judge_images([row], at=at)
