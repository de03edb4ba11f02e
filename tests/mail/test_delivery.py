"""What each answer of a mail server means."""

import socket

import pytest

from mail import delivery
from mail.compose import Message
from tests.mail.server import DROP, listening

LETTER = Message("post@colloquy.example", "zoe@example.com", b"Subject: x\r\n\r\n.dot\r\n", needs_utf8=False)


def test_a_letter_arrives_as_it_was_and_the_answer_comes_back() -> None:
    with listening() as post:
        answer = delivery.send(LETTER, delivery.server(post.url))
    assert answer == "250 taken as told"
    assert post.arrived[0].content == LETTER.content
    assert (post.arrived[0].sender, post.arrived[0].recipients) == ("post@colloquy.example", ["zoe@example.com"])


@pytest.mark.parametrize(
    ("stage", "answer"),
    [("rcpt", "550 no such person"), ("data", "554 not this"), ("mail", "552 too large"), ("data", "552 too large")],
)
def test_a_lasting_no_to_the_person_or_the_letter_is_for_good(stage: str, answer: str) -> None:
    with listening() as post:
        setattr(post, stage, answer)
        with pytest.raises(delivery.RefusedForGood, match=answer):
            delivery.send(LETTER, delivery.server(post.url))


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("rcpt", "450 busy"),
        ("data", "451 come back"),
        ("mail", "421 closing"),
        ("mail", "550 not from you"),
        ("rcpt", DROP),
        ("data", DROP),
    ],
)
def test_a_passing_no_or_one_to_us_is_for_later(stage: str, answer: str) -> None:
    with listening() as post:
        setattr(post, stage, answer)
        with pytest.raises(delivery.NotNow):
            delivery.send(LETTER, delivery.server(post.url))


def test_nobody_listening_is_for_later() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(delivery.NotNow, match="ConnectionRefusedError"):
        delivery.send(LETTER, delivery.server(f"smtp://127.0.0.1:{port}"))


def test_a_server_without_tls_does_not_get_a_letter_that_asks_for_it() -> None:
    with listening() as post:
        for scheme in ("smtp+starttls", "smtps"):
            with pytest.raises(delivery.NotNow):
                delivery.send(LETTER, delivery.server(f"{scheme}://127.0.0.1:{post.port}"))
    assert not post.arrived


def test_a_password_is_given_and_a_wrong_one_fails_nobodys_letter() -> None:
    with listening(password="p@ss/word") as post:
        with pytest.raises(delivery.NotNow, match="535"):
            delivery.send(LETTER, delivery.server(f"smtp://me:wrong@127.0.0.1:{post.port}"))
        assert delivery.send(LETTER, delivery.server(f"smtp://me:p%40ss%2Fword@127.0.0.1:{post.port}"))
    assert len(post.arrived) == 1


def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    content = "To: <jürgen@xn--mnchen-3ya.example>\r\n\r\nHello\r\n".encode()
    letter = Message("post@colloquy.example", "jürgen@xn--mnchen-3ya.example", content, needs_utf8=True)
    with listening() as post:
        delivery.send(letter, delivery.server(post.url))
    assert post.arrived[0].recipients == ["jürgen@xn--mnchen-3ya.example"]
    with listening(takes_utf8=False) as post, pytest.raises(delivery.RefusedForGood, match="SMTPUTF8"):
        delivery.send(letter, delivery.server(post.url))


@pytest.mark.parametrize("url", ["", "mail.example:25", "http://mail.example", "smtp://", "smtp://x:99999"])
def test_a_setting_that_cannot_be_read_is_for_later(url: str) -> None:
    with pytest.raises(delivery.NotNow, match="SMTP_URL"):
        delivery.server(url)


def test_ports_follow_the_scheme() -> None:
    assert delivery.server("smtp://mail.example").port == 25
    assert delivery.server("smtps://mail.example").port == 465
    assert delivery.server("smtp+starttls://u:p@mail.example").port == 587
    assert delivery.server("smtp://[::1]:2525").host == "::1"
