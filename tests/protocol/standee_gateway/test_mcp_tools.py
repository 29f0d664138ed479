"""The tools of MCP, called by the SDK's own client: over stdio, and over HTTP with the token."""

import asyncio
import base64
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import mcp
import pytest
from PIL import Image

from standee.document.receipt import extract
from standee.images import digest_of
from standee_gateway.daemon_link import DaemonLink
from standee_gateway.http_routes import Gateway
from standee_gateway.mcp_tools import mcp_server
from support.daemons import Running
from support.gateway.processes import Asked, environment, png_of_grey

TOOLS = {
    "list_models",
    "layout_schema",
    "preview_layout",
    "compose",
    "job_status",
    "cancel_job",
}
Talk = Callable[[Any], Coroutine[Any, Any, None]]


def layout(prompt: str, picture: str = "cat.png", **more: Any) -> dict[str, Any]:
    rect = {"x": 16, "y": 16, "w": 32, "h": 32}
    layers = [{"picture": picture, "rect": rect, "id": "cat", "name": "cat"}]
    canvas = {"width": 64, "height": 64}
    return {"prompt": prompt, "canvas": canvas, "layers": layers} | more


@pytest.fixture
def cutouts(tmp_path: Path) -> Path:
    """A folder with a picture of a cat, and a picture outside of it."""
    (tmp_path / "cutouts").mkdir()
    (tmp_path / "cutouts/cat.png").write_bytes(png_of_grey(77))
    (tmp_path / "outside.png").write_bytes(png_of_grey(78))
    return tmp_path / "cutouts"


@pytest.fixture
def by_stdio(daemon: Running, cutouts: Path) -> Callable[[Talk], None]:
    """Talk with `standee gateway --mcp stdio`."""
    command = ["-m", "standee_cli.main", "gateway", "--mcp", "stdio"]
    how = mcp.StdioServerParameters(
        command=sys.executable,
        args=[*command, "--pictures", str(cutouts)],
        env=environment(daemon),
    )

    def run(talk: Talk) -> None:
        async def talking() -> None:
            async with mcp.Client(mcp.stdio_client(how)) as client:
                await talk(client)

        asyncio.run(asyncio.wait_for(talking(), 30))

    return run


@asynccontextmanager
async def by_http(gateway: Asked) -> AsyncIterator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {gateway.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as http,
        mcp.Client(streamable_http_client(f"{gateway.url}/mcp", http_client=http)) as client,
    ):
        yield client


def picture_in(result: Any, index: int = 1) -> bytes:
    block = result.content[index]
    assert (block.type, block.mime_type) == ("image", "image/png")
    return base64.b64decode(block.data)


def test_an_agent_previews_composes_and_looks_after_jobs(
    by_stdio: Callable[[Talk], None],
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def talk(client: Any) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        models = (await client.call_tool("list_models")).structured_content["models"]
        assert "mini" in [model["name"] for model in models]
        schema = (await client.call_tool("layout_schema")).structured_content
        assert "layers" in schema["properties"]

        seen = await client.call_tool("preview_layout", {"layout": layout("")})
        [cat] = seen.structured_content["layers"]
        assert (cat["id"], cat["cells"], cat["hidden"], cat["outside"]) == ("cat", 4, 0, 0)
        with Image.open(io.BytesIO(picture_in(seen))) as drawn:
            assert drawn.size == (64, 64)
            assert drawn.getpixel((32, 40)) != drawn.getpixel((4, 4))

        slow = layout("slow, drawn, whole receipt", sampling={"steps": 4, "seed": 9})
        made = await client.call_tool("compose", {"layout": slow}, progress_callback=note)
        assert made.structured_content["state"] == "done"
        receipt = extract(picture_in(made))
        [layer] = receipt["composition"]["layers"]
        assert layer["picture"] == digest_of(png_of_grey(77))
        assert told[-1] == (4, 4, "Composing")

        job = made.structured_content["job"]
        again = await client.call_tool("job_status", {"job": job})
        assert picture_in(again) == picture_in(made)

        left = layout("slow", sampling={"steps": 200})
        left = await client.call_tool("compose", {"layout": left, "seconds": 0.1})
        assert left.structured_content["state"] in ("queued", "running")
        assert len(left.content) == 1
        ended = await client.call_tool("cancel_job", {"job": left.structured_content["job"]})
        assert ended.structured_content["state"] == "cancelled"

    by_stdio(talk)


def test_what_is_wrong_is_told_with_its_code_and_no_file_outside_is_read(
    daemon: Running, cutouts: Path
) -> None:
    beside = cutouts.parent / "outside.png"
    (cutouts / "link.png").symlink_to(beside)
    (cutouts / "notes.txt").write_text("secret")
    outside = ["../outside.png", str(beside), "link.png", "dog.png", "", "\0"]
    outside.append("/" + str(cutouts / "cat.png"))  # another computer's, to Windows

    async def talk(client: Any) -> None:
        for name in outside:
            refused = await client.call_tool("compose", {"layout": layout("", name)})
            assert refused.is_error
            assert "[invalid-field]" in refused.content[0].text
            assert "$.layers[0].picture" in refused.content[0].text
        for name in ("preview_layout", "compose"):
            refused = await client.call_tool(name, {"layout": layout("", "notes.txt")})
            assert refused.is_error
            assert "[bad-picture]" in refused.content[0].text
            assert "secret" not in refused.content[0].text
        odd = layout("") | {"canvas": {"width": 70, "height": 64}}
        refused = await client.call_tool("preview_layout", {"layout": odd})
        assert "$.canvas" in refused.content[0].text
        failed = await client.call_tool("compose", {"layout": layout("refuse")})
        assert failed.is_error
        assert "The toy dislikes the picture." in failed.content[0].text
        lost = await client.call_tool("job_status", {"job": "no-such-job"})
        assert "[unknown-job]" in lost.content[0].text

    async def inside() -> None:
        link = DaemonLink(connection_file=daemon.file, start=False)
        async with link, mcp.Client(mcp_server(Gateway(link), cutouts)) as client:
            await talk(client)

    asyncio.run(asyncio.wait_for(inside(), 20))


def test_a_call_that_is_given_up_cancels_its_job(gateway: Asked) -> None:
    inline = "data:image/png;base64," + base64.b64encode(png_of_grey(5)).decode()

    async def talk() -> None:
        async with by_http(gateway) as client:
            given = {"layout": layout("slow, given up", inline, sampling={"steps": 200})}
            call = asyncio.create_task(client.call_tool("compose", given))
            while not (under_way := jobs("running")):
                await asyncio.sleep(0.02)
            call.cancel()
            while jobs("running"):
                await asyncio.sleep(0.02)
            assert under_way[0] in jobs("cancelled")

    def jobs(state: str) -> list[str]:
        found = gateway.ask("GET", "/v1/jobs").json["jobs"]
        return [one["job"] for one in found if one["state"] == state]

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_by_http_it_asks_for_the_token_and_names_no_files(gateway: Asked) -> None:
    hello = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize"})
    answer = gateway.ask("POST", "/mcp", hello, Authorization="Bearer wrong")
    assert answer.status == 401

    async def talk() -> None:
        async with by_http(gateway) as client:
            refused = await client.call_tool("compose", {"layout": layout("", "/etc/hostname")})
            assert "[invalid-field]" in refused.content[0].text

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_options_of_http_mean_nothing_to_stdio(standee: Any) -> None:
    ran = standee("gateway", "--mcp", "stdio", "--port", "80")
    assert ran.code == 2
    assert "--pictures" in ran.err
