"""What AWS tells of where things come from, besides what is told with the things themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from registry.aws.members import SHORT, Item, moment, words


@dataclass(frozen=True, slots=True)
class ImageMetadata:
    """What AWS tells of the image of an instance, also where it is gone, foreign or private."""

    image_id: str
    name: str
    owner_id: str
    owner_alias: str

    @classmethod
    def parse(cls, item: Item) -> Self:
        return cls(
            image_id=words(item, "ImageId", SHORT),
            name=words(item, "Name"),
            owner_id=words(item, "OwnerId", 32),
            owner_alias=words(item, "ImageOwnerAlias", SHORT),
        )


@dataclass(frozen=True, slots=True)
class AncestryEntry:
    """An image and the source that AWS recorded for it; empty where it recorded none."""

    image_id: str
    created_at: datetime | None
    owner_alias: str
    source_image_id: str
    source_image_region: str

    @classmethod
    def parse(cls, item: Item) -> Self:
        return cls(
            image_id=words(item, "ImageId", SHORT),
            created_at=moment(item, "CreationDate"),
            owner_alias=words(item, "ImageOwnerAlias", SHORT),
            source_image_id=words(item, "SourceImageId", SHORT),
            source_image_region=words(item, "SourceImageRegion", 32),
        )
