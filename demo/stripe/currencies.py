"""Currencies: which exist for Stripe, their minor digits, the least it charges, and how pages write an amount."""

from demo.stripe.errors import Refused

_SUPPORTED = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf "
    "chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk "
    "htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd "
    "mmk mnt mop mro mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron "
    "rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu "
    "uzs vnd vuv wst xaf xcd xof xpf yer zar zmw"
)
_WITHOUT_MINOR = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
_WITH_THREE = "bhd jod kwd omr tnd"
SUPPORTED = frozenset(_SUPPORTED.split())
WITHOUT_MINOR = frozenset(_WITHOUT_MINOR.split())
WITH_THREE = frozenset(_WITH_THREE.split())
_LEAST = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
MOST = 99_999_999


def written(minor: int, currency: str) -> str:
    """An amount as the pay page writes it: `GBP 95.00`, `JPY 12000`."""
    digits = 0 if currency in WITHOUT_MINOR else 3 if currency in WITH_THREE else 2
    if not digits:
        return f"{currency.upper()} {minor}"
    whole, rest = divmod(minor, 10**digits)
    return f"{currency.upper()} {whole}.{rest:0{digits}d}"


def known(currency: str, param: str) -> str:
    """The currency in lower case; refused if Stripe does not support it."""
    lower = currency.lower()
    if lower not in SUPPORTED:
        raise Refused(
            400,
            f"Invalid currency: {lower}. Stripe currently supports these currencies: {', '.join(sorted(SUPPORTED))}",
            param=param,
        )
    return lower


def check_total(minor: int, currency: str) -> None:
    """Refuse a total that Stripe would not charge; nothing at all is fine."""
    least = _LEAST.get(currency, 0)
    if 0 < minor < least:
        raise Refused(
            400,
            f"The Checkout Session's total amount due must add up to at least {written(least, currency)}",
            code="amount_too_small",
        )
    if minor > MOST:
        raise Refused(
            400,
            f"The Checkout Session's total amount due must add up to no more than {written(MOST, currency)}",
            code="amount_too_large",
        )
