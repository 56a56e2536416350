"""Memories in many languages: stored, known again, found by a part or another form of a word, changed, listed."""

import dataclasses

import pytest
from support.memories import WORDS_ONLY, Memories, ids, texts, unique


@dataclasses.dataclass(frozen=True)
class Language:
    text: str
    again: str  # the same, written otherwise
    queries: tuple[str, ...]  # words of it, in other forms
    others: tuple[str, ...]  # which the queries don't find
    changed: str
    changed_query: str


LANGUAGES = {
    "chinese": Language("我昨天在北京吃了烤鸭", "我昨天在北京吃了烤鸭 ", ("烤鸭", "北京", "在北京吃烤鸭"),
                        ("她喜欢弹钢琴", "下个月去旅行"), "我昨天在上海吃了饺子", "上海饺子"),
    "japanese": Language("東京の大学で物理学を勉強しています", " 東京の大学で物理学を勉強しています", ("大学", "物理学", "勉強"),
                         ("猫が窓のそばで寝ている", "朝ごはんにパンを食べた"), "京都の高校で音楽を教えています", "音楽"),
    "katakana": Language("カメラとギターを買った", "ｶﾒﾗとｷﾞﾀｰを買った", ("ギター", "ｷﾞﾀｰ", "カメラ"),
                         ("雨が降っている", "母に電話した"), "ピアノを買った", "ピアノ"),
    "korean": Language("나는 서울에서 한국어를 배우고 있다", "나는  서울에서 한국어를 배우고 있다", ("서울에서", "한국어"),
                       ("고양이가 잔다", "빵을 먹었다"), "나는 부산에서 음악을 가르친다", "부산에서"),
    "german": Language("Die Kinder spielten gestern in den Gärten der Großmutter",
                       "die kinder SPIELTEN gestern in den ga\u0308rten der grossmutter",
                       ("Garten", "spielen", "GROSSMUTTER", "Kind", "Gärten"),
                       ("Der Zug fährt um neun", "Brot braucht Mehl"), "Die Krankenversicherung ist teuer geworden",
                       "Versicherung"),
    "french": Language("Nous avons mangé des crêpes à l'école", "NOUS AVONS MANGÉ DES CRÊPES À L'ÉCOLE",
                       ("crêpe", "école", "manger des crêpes"), ("Le train part à neuf heures", "Il neige"),
                       "Nous avons acheté un piano", "pianos"),
    "spanish": Language("Mis hijas estudian en la universidad", "MIS HIJAS estudian en la universidad",
                        ("universidades", "hija", "estudiar"), ("El tren sale pronto", "Hoy llueve mucho"),
                        "Mi perro duerme", "perros"),
    "russian": Language("Мы купили новую машину вчера", "мы купили НОВУЮ машину вчера", ("машина", "новая", "купили"),
                        ("Поезд уходит в девять", "Идёт дождь"), "Кошка спит на диване", "кошки"),
    "arabic": Language("أحب قراءة الكتب في المكتبة", "أحب  قراءة الكتب في المكتبة", ("الكتب", "كتب", "المكتبة"),
                       ("القطار يغادر الآن", "السماء تمطر"), "أدرس الموسيقى في الجامعة", "الموسيقى"),
    "hebrew": Language("הלכנו לים אתמול בבוקר", "הלכנו  לים אתמול בבוקר", ("לים", "אתמול"), ("הרכבת יוצאת", "יורד גשם"),
                       "החתול ישן על הספה", "החתול"),
    "hindi": Language("मुझे दिल्ली में चाय पसंद है", "मुझे  दिल्ली में चाय पसंद है", ("चाय", "दिल्ली"),
                      ("बारिश हो रही है", "गाड़ी तेज़ चलती"), "मेरी बिल्ली सो रही", "बिल्ली"),
    "thai": Language("ฉันชอบกินข้าวผัดที่ตลาด", "ฉันชอบกินข้าวผัดที่ตลาด\n", ("ข้าวผัด", "ตลาด"),
                     ("แมวนอนอยู่", "ฝนตกหนัก"), "ฉันเล่นกีตาร์", "กีตาร์"),
    "greek": Language("Ο Σωκράτης ήταν φιλόσοφος", "Ο ΣΩΚΡΆΤΗΣ ΉΤΑΝ ΦΙΛΌΣΟΦΟΣ", ("φιλόσοφος", "ΦΙΛΌΣΟΦΟΣ"),
                      ("Το τρένο φεύγει", "Βρέχει πολύ"), "Η γάτα κοιμάται", "γάτα"),
    "turkish": Language("Kedilerim bahçede uyuyor", "kedilerim BAHÇEDE uyuyor", ("bahçede", "kediler"),
                        ("Tren dokuzda kalkıyor", "Ekmek aldık"), "Köpeğim parkta koşuyor", "köpeğim"),
    "emoji": Language("Friday band practice 🎸🥁", "friday band practice 🎸🥁", ("🎸", "🥁", "🎸 🥁"),
                      ("The cat 🐈 sleeps", "Rain ☔ again"), "Friday choir practice 🎤", "🎤"),
    "mixed": Language("我在 Berlin 学习 machine learning", "我在 BERLIN 学习 Machine Learning", ("berlin", "学习", "machines"),
                      ("雨が降っている", "The train leaves"), "我在 Madrid 学习 español", "madrid"),
}


@pytest.fixture(params=LANGUAGES)
def language(request):
    return LANGUAGES[request.param]


def test_a_text_is_stored_and_listed_unchanged(memories, language):
    stored = memories.store(language.text, metadata={language.text: language.text})
    assert stored["memory"] == language.text
    assert memories.list() == [stored]
    assert memories.get(stored["id"]) == stored


def test_the_same_text_written_otherwise_is_known(memories, language):
    stored = memories.store(language.text)
    again = memories.add(language.again)
    assert (again["event"], again["id"], again["memory"]) == ("NOOP", stored["id"], language.text)


def test_a_part_or_another_form_of_its_words_finds_it(memories, language):
    stored = memories.apart(language.text, *language.others)
    missed = [query for query in language.queries if ids(memories.search(query))[:1] != [stored[0]["id"]]]
    assert missed == []


def test_its_words_do_not_find_others(memories, language):
    memories.apart(language.text, *language.others)
    wrong = {query: found for query in language.queries if (found := memories.found(query)[1:])}
    assert wrong == {}


def test_a_changed_text_is_found_by_its_new_words(memories, language):
    stored = memories.apart(language.text, *language.others)[0]
    memories.update(stored["id"], language.changed)
    assert memories.found(language.changed_query)[:1] == [language.changed]
    assert memories.told(stored["id"])[-1] == ("UPDATE", language.text, language.changed)
    assert language.changed in texts(memories.list())


def test_ids_of_any_language_are_scopes(ltm_client, language):
    memories = Memories(ltm_client, user_id=unique(language.text[:40]), agent_id=language.queries[0])
    stored = memories.store(language.text)
    assert ids(memories.search(language.queries[0])) == [stored["id"]]
    assert memories.forget() == 1


def test_languages_of_one_scope_do_not_disturb_each_other(memories):
    stored = dict(zip(LANGUAGES, memories.apart(*(language.text for language in LANGUAGES.values())), strict=True))
    missed = {name: query for name, language in LANGUAGES.items() for query in language.queries[:2]
              if stored[name]["id"] not in ids(memories.search(query, limit=2))}
    assert missed == {}


def test_the_language_may_be_a_setting(start_server):
    server = start_server(LTM_LANGUAGE="german", **WORDS_ONLY)
    with server.client() as client:
        memories = Memories(client)
        stored = memories.apart("Häuser", "Garten")
        assert ids(memories.search("Haus häusern"))[:1] == [stored[0]["id"]]
