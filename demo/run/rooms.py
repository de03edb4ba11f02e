"""The demo's meeting rooms after the mailbox has got another port: kept data lead to where it is now."""

from urllib.parse import urlsplit

from sqlalchemy import NullPool, create_engine, text

PATH = "/room/"


def address(port: int) -> str:
    """Where the rooms are, as the sample data are told."""
    return f"http://localhost:{port}{PATH.rstrip('/')}"


def move(database: str, port: int) -> int:
    """Lead every room of the demo to the mailbox at `port`; how many were elsewhere. Links of others stay."""
    with create_engine(database, poolclass=NullPool).begin() as connection:
        rows = connection.execute(
            text("SELECT id, url FROM meeting_point WHERE url LIKE :ours"), {"ours": f"http://localhost:%{PATH}%"}
        ).all()
        moved = 0
        for row_id, url in rows:
            parts = urlsplit(url)
            if parts.path.startswith(PATH) and parts.port != port:
                fresh = parts._replace(netloc=f"localhost:{port}").geturl()
                connection.execute(
                    text("UPDATE meeting_point SET url = :url WHERE id = :id"), {"url": fresh, "id": row_id}
                )
                moved += 1
    return moved
