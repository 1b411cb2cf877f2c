"""Assets: fixed once made; the same request again is 200, another 409."""

from typing import Annotated

from msgspec import Meta

from spotbook.domain.amount import show_stripped
from spotbook.domain.asset import Asset
from spotbook.domain.commands import MakeAsset
from spotbook.domain.errors import AssetDiffers
from spotbook.limits import SCALE_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Amount, Id, Shown
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import refused


class NewAsset(In, frozen=True):
    """An asset to make."""

    asset: Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Z0-9]{1,16}$"})]
    scale: Annotated[int, Meta(description="Decimals.", extra_json_schema={"minimum": 0, "maximum": SCALE_MAX})]
    supply_max: Amount


class AssetShown(Out, frozen=True):
    """An asset; ids are in the order in which assets were made."""

    id: Id
    asset: str
    scale: int
    supply_max: Shown


class AssetsShown(Out, frozen=True):
    """All assets in the order in which they were made."""

    assets: list[AssetShown]


class FirstAsset(Out, frozen=True):
    """Why not, and the asset that was made before."""

    code: str
    message: str
    first: AssetShown


class AssetConflict(Out, frozen=True):
    """The body of a 409 that shows the asset as it is."""

    error: FirstAsset


def _shown(asset: Asset) -> AssetShown:
    return AssetShown(asset.id, asset.name, asset.scale, show_stripped(asset.supply_max, asset.scale))


async def _make(office: Office, call: Call) -> Reply:
    try:
        done = await office.carry_out(MakeAsset(call.body.asset, call.body.scale, call.body.supply_max), call)
    except AssetDiffers as differs:
        return refused(differs, first=_shown(differs.first))
    return Reply(201 if done.fresh else 200, _shown(done.result))


async def _list(office: Office, call: Call) -> Reply:  # noqa: ARG001
    return Reply(200, AssetsShown([_shown(asset) for asset in office.assets.all()]))


MAKE = Endpoint(
    "POST",
    "/assets",
    "operate",
    "Make an asset; 200 when it was made before just so",
    _make,
    {201: AssetShown, 200: AssetShown},
    NewAsset,
    refusals={409: AssetConflict},
)
LIST = Endpoint("GET", "/assets", "view", "List all assets", _list, {200: AssetsShown})
