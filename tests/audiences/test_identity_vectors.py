"""Every known answer: LinkedIn's and Google's documented vectors, and digests of public quick-start files."""

from __future__ import annotations

import hashlib

import pytest

from audiences.identity import KINDS, PLATFORMS, Reject, hash_one, normalise

# Google, Data Manager formatting guide and its formatter 0.4.0 (executed), mid-2026.
GOOGLE = [
    ("email", "QuinnY@EXAMPLE.com", "quinny@example.com"),
    ("email", "  alexz@EXAMPLE.com   ", "alexz@example.com"),
    ("email", "\tx@example.com\n", "x@example.com"),
    ("email", "Jefferson.Loves.hiking@gmail.com", "jeffersonloveshiking@gmail.com"),
    ("email", "j.e.f..ferson.Loves.hiking@gmail.com", "jeffersonloveshiking@gmail.com"),
    ("email", "Jefferson.LOVES.Hiking@googlemail.com", "jeffersonloveshiking@googlemail.com"),
    ("email", "Cloudy.SanFrancisco+shopping@Gmail.com", "cloudysanfrancisco@gmail.com"),
    ("email", "first+a+b@gmail.com", "first@gmail.com"),
    ("email", "x.y+z@googlemail.com", "xy@googlemail.com"),
    ("email", "user.name+NYC@Example.com", "user.name+nyc@example.com"),
    ("email", "a.b@mail.gmail.com", "a.b@mail.gmail.com"),
    ("email", "a@gmail.com.", "a@gmail.com."),
    ("email", "a@b", "a@b"),
    ("email", "JOSÉ@Exämple.com", "josé@exämple.com"),
    ("email", "a\u200bb@example.com", "a\u200bb@example.com"),
    ("email", "a b@example.com", Reject("inner_space")),
    ("email", "a\u00a0b@example.com", Reject("inner_space")),
    ("email", '"a b"@example.com', Reject("inner_space")),
    ("email", "quinn", Reject("not_user_at_domain")),
    ("email", "a@@example.com", Reject("not_user_at_domain")),
    ("email", "a@b@example.com", Reject("not_user_at_domain")),
    ("email", "@example.com", Reject("empty_user")),
    ("email", "a@", Reject("empty_domain")),
    ("email", "...@gmail.com", Reject("empty_user")),
    ("email", "+tag@gmail.com", Reject("empty_user")),
    ("email", "+@gmail.com", Reject("empty_user")),
    ("email", "", Reject("blank")),
    ("email", "   ", Reject("blank")),
    ("phone", "1 800 555 0100", "+18005550100"),
    ("phone", "18005550100", "+18005550100"),
    ("phone", "+1 800-555-0100", "+18005550100"),
    ("phone", "441134960987", "+441134960987"),
    ("phone", "+44-113-496-0987", "+441134960987"),
    ("phone", "tel:+1-415-555-2671", "+14155552671"),
    ("phone", "++++", Reject("no_digits")),
    ("phone", "+A BCD EFG ", Reject("no_digits")),
    ("phone", "", Reject("blank")),
    ("given_name", "  Alex   ", "alex"),
    ("given_name", "  Mr. Alex ", "alex"),
    ("given_name", "Mary Ann", "mary ann"),
    ("given_name", "O'Brien", "o'brien"),
    ("given_name", "ZOË", "zoë"),
    ("given_name", "Mralex", "mralex"),
    ("given_name", " Alex Dr.", "alex dr."),
    ("given_name", " Mr. ", Reject("empty_name")),
    ("given_name", " ", Reject("blank")),
    ("family_name", " Quinn, Jr.  ", "quinn"),
    ("family_name", "Quinn-Alex", "quinn-alex"),
    ("family_name", "SMITH III", "smith"),
    ("family_name", "Quinn,Jr.", "quinn"),
    ("family_name", "Quinn Sr.", "quinn"),
    ("family_name", "Quinn Jr", "quinn"),
    ("family_name", "quinn, jr. dds", "quinn"),
    ("family_name", "quinn, jr., dds", "quinn"),
    ("family_name", "Boardds", "boardds"),
    ("family_name", "lacparm", "lacparm"),
    ("family_name", "Le Vi", "le"),
    ("family_name", ", Jr. ", Reject("empty_name")),
    ("family_name", ",Jr.,DDS ", Reject("empty_name")),
    ("region_code", " us", "US"),
    ("region_code", "uS ", "US"),
    ("region_code", "uk", Reject("not_iso_3166")),
    ("region_code", "u2", Reject("not_iso_3166")),
    ("region_code", "usa", Reject("not_iso_3166")),
    ("postal_code", " 94045  ", "94045"),
    ("postal_code", "94045-1234", "94045-1234"),
    ("postal_code", "ec1a 1bb", "ec1a 1bb"),
    ("postal_code", "", Reject("blank")),
]
# Where the official formatter gives a wrong number without a word; here it is right, or refused.
BETTER_PHONES = [
    ("(800)555-0100", Reject("implausible_number")),
    ("00441134960987", "+441134960987"),
    ("+1 (415) 555-2671 ext. 12", "+14155552671"),
    ("123", Reject("implausible_number")),
    ("＋４４ １１３ ４９６ ０９８７", "+441134960987"),
    ("+٤٤ ١١٣ ٤٩٦ ٠٩٨٧", "+441134960987"),
]
DIGESTS = {
    "dana@example.com": "07e2f1394b0ea80e2adca010ea8318df697001a005ba7452720edda4b0ce57b3",
    "danam@example.com": "1df6b43bc68dd38eca94e6a65b4f466ae537b796c81a526918b40ac4a7b906c7",
    "alexj@example.com": "2ef46c4214c3fc1b277a2d976d55194e12b899aa50d721f28da858c7689756e3",
    "alexj@cymbalgroup.com": "54e410b14fa652a4b49b43aff6eaf92ad680d4d1e5e62ed71b86cd3188385a51",
    "alexj@altostrat.com": "e8bd3f8da6f5af73bec1ab3fbf7beb47482c4766dfdfc94e6bd89e359c139478",
    "quinn@cymbalgroup.com": "05bb62526f091b45d20e243d194766cca8869137421047dc53fa4876d111a6f0",
    "baklavainthebalkans@gmail.com": "f1fcde379f31f4d446b76ee8f34860eca2288adc6b6d6c0fdc56d9eee75a2fa5",
    "rosario@example.org": "83a834cc5327bc4dee7c5408988040dc5813c7662611cd93b707aff72bf7d33f",
    "Cloudy.SanFrancisco@gmail.com": "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4",
    "alexz@example.com": "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a",
    "QuinnY@example.com": "d00d0a7c6d491b3782fd78b410748048859e16467faa0651f060978d4bb343cc",
    "JEFFERSONLoves.Hiking@gmail.com": "515d2f967f73864e76937ab2b897210a86fd286016903b1b08c3da07c75f513e",
    "JeffersonLoveshiking@googlemail.com": "2824967181c781aced84c32bf8bb51fc6401202eeff88263776f63c99df9314c",
    "x.y@googlemail.com": "bd382f6f199b878b7e3324863bb7f991e31c6d9265867296130a2310110e4d8e",
    "user.name+nyc@example.com": "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac",
    "josé@exämple.com": "88a5fce066b185a5417601d971b4fca2b5e969d163bc0846426140956078d437",
    "test@example.com": "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b",
}
OTHER_DIGESTS = [
    ("phone", "+18005550100", "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"),
    ("phone", "+441134960987", "0fac52d27ec377f8ad2f9de75d1f9bace693237e31868ae6f4616b8bbd0e94fb"),
    ("phone", "+14155552671", "cb6880e416769253645cb9c6b8989154bf66a56a77fc14c81fb1019663cbb928"),
    ("given_name", "alex", "4135aa9dc1b842a653dea846903ddb95bfb8c5a10c504a7fa16e10bc31d1fdf0"),
    ("family_name", "quinn", "c512ca0c5c1e71be19f3356821e56732b5fb3ac894b0dbc5846d0b6920106fb3"),
    ("given_name", "John", "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"),
    ("family_name", "Doe", "799ef92a11af918e3fb741df42934f3b568ed2d93ac1df74f1b8d41a27932a6f"),
    ("given_name", "Mary Ann", "343b97011010c3549fe7fcd6c226ed9431ea37b0b77ed78f6300a0098925faf1"),
]
JANE = "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"


@pytest.mark.parametrize(("kind", "text", "expected"), GOOGLE)
def test_google_vectors_give_the_documented_answer(kind: str, text: str, expected: str | Reject) -> None:
    assert normalise("google", kind, text) == expected


@pytest.mark.parametrize(("text", "expected"), BETTER_PHONES)
def test_a_phone_is_never_silently_another_number(text: str, expected: str | Reject) -> None:
    assert normalise("google", "phone", text) == expected


@pytest.mark.parametrize(("text", "digest"), DIGESTS.items())
def test_google_email_digests_are_those_of_its_own_quick_start_files(text: str, digest: str) -> None:
    assert hash_one("google", "email", text) == digest


@pytest.mark.parametrize(("kind", "text", "digest"), OTHER_DIGESTS)
def test_google_phone_and_name_digests_match_the_published_ones(kind: str, text: str, digest: str) -> None:
    assert hash_one("google", kind, text) == digest


def test_linkedin_removes_every_blank_and_lowers_the_case_before_hashing() -> None:
    assert hash_one("linkedin", "email", "  Jane.Doe@Example.COM ") == JANE
    assert hash_one("linkedin", "email", "jane . doe@exam\u00a0ple.com") == JANE


def test_the_two_wrong_ways_to_hash_for_linkedin_are_not_taken() -> None:
    unnormalised = "74004959192181e129c44fbf618cce618c626d78c0811eb52b8c19352f61e31a"
    only_trimmed = "3f6be184cde17ee09fb3a0575c40f9f270c0bd4c1c7f5e76ba38ffa43ee3efa7"

    assert hashlib.sha256(b"  Jane.Doe@Example.COM ").hexdigest() == unnormalised
    assert hashlib.sha256(b"Jane.Doe@Example.COM").hexdigest() == only_trimmed
    assert hash_one("linkedin", "email", "  Jane.Doe@Example.COM ") not in {unnormalised, only_trimmed}


def test_linkedin_keeps_dots_and_tags_of_gmail_and_google_does_not() -> None:
    assert normalise("linkedin", "email", "a.b+c@gmail.com") == "a.b+c@gmail.com"
    assert normalise("google", "email", "a.b+c@gmail.com") == "ab@gmail.com"


def test_linkedin_refuses_what_cannot_be_a_members_address() -> None:
    assert normalise("linkedin", "email", "a@b") == Reject("domain_without_dot")
    assert normalise("linkedin", "email", "quinn") == Reject("not_user_at_domain")


@pytest.mark.parametrize("kind", ["phone", "given_name", "family_name", "postal_code"])
def test_linkedin_takes_no_hash_of_anything_but_an_email(kind: str) -> None:
    assert hash_one("linkedin", kind, "anything") == "!platform_does_not_hash_this"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("form", [JANE, JANE.upper(), f" {JANE}\n"])
def test_what_is_hashed_already_is_never_hashed_again(platform: str, form: str) -> None:
    assert hash_one(platform, "email", form) == JANE


def test_a_base64_digest_is_read_as_the_digest_it_is() -> None:
    known = "UJ6TMBm7KFoTSpM0uLtnnf950M4CPVKa9L10TUe0/Yo="

    assert hash_one("google", "email", known) == DIGESTS["alexz@example.com"]


@pytest.mark.parametrize("length", [32, 40, 128])
def test_a_digest_of_another_function_is_refused_not_hashed(length: int) -> None:
    assert hash_one("google", "given_name", "a" * length) == "!other_hash"
    assert hash_one("linkedin", "email", "0" * length) == "!other_hash"


def test_a_national_phone_number_needs_its_country() -> None:
    assert normalise("google", "phone", "(415) 555-2671", default_country="US") == "+14155552671"
    assert normalise("google", "phone", "0113 496 0987", default_country="gb") == "+441134960987"
    assert normalise("google", "phone", "0113 496 0987") == Reject("implausible_number")


def test_an_unknown_platform_or_kind_is_a_mistake_of_the_caller() -> None:
    for platform, kind in (("bing", "email"), ("google", "shoe_size")):
        with pytest.raises(ValueError, match="no rule"):
            normalise(platform, kind, "x")


def test_no_reject_carries_the_value() -> None:
    secret = "someone.private@@example.com"

    answers = [normalise(platform, kind, secret) for platform in PLATFORMS for kind in KINDS]

    refused = [answer for answer in answers if isinstance(answer, Reject)]
    assert len(refused) >= 6
    assert not any("private" in repr(answer) for answer in refused)
