#include "text/stop_word_lists.hpp"

#include <algorithm>
#include <array>

namespace maas::text {
namespace {

constexpr auto kArabic = std::to_array<std::string_view>(
    {"أم",   "أن",    "أنا",  "أنت",  "أنتم",  "أو",    "أي",    "أيضا",   "أين",   "إذا", "إلى",
     "إليه", "إليها", "إن",   "اذا",  "التي",  "الذي",  "الذين", "اللذان", "الى",   "ان",  "انا",
     "انت",  "انتم",  "او",   "اي",   "ايضا",  "اين",   "ب",     "بعد",    "بعض",   "بل",  "به",
     "بها",  "بهم",   "بين",  "تحت",  "تكون",  "تلك",   "ثم",    "جدا",    "حتى",   "حيث", "دون",
     "ذلك",  "سوف",   "على",  "عليه", "عليها", "عليهم", "عن",    "عند",    "عندما", "عنه", "عنها",
     "غير",  "ف",     "فقط",  "فوق",  "في",    "فيه",   "فيها",  "فيهم",   "قبل",   "قد",  "كان",
     "كانت", "كانوا", "كل",   "كما",  "كنت",   "كي",    "كيف",   "ل",      "لأن",   "لا",  "لان",
     "لقد",  "لك",    "لكن",  "لكي",  "لم",    "لماذا", "لن",    "لنا",    "له",    "لها", "لهم",
     "لو",   "لي",    "ليس",  "ليست", "ما",    "ماذا",  "متى",   "مثل",    "مع",    "معه", "معها",
     "من",   "منذ",   "منه",  "منها", "منهم",  "نحن",   "هؤلاء", "هذا",    "هذه",   "هل",  "هم",
     "هن",   "هنا",   "هناك", "هو",   "هي",    "و",     "وعلى",  "وفي",    "ولا",   "وما", "ومن",
     "وهو",  "وهي",   "يا",   "يكون"});
static_assert(std::ranges::is_sorted(kArabic));

constexpr auto kDanish = std::to_array<std::string_view>(
    {"ad",    "af",      "aldrig",  "alle",    "alt",   "altid",  "anden", "at",      "blev",
     "blive", "bliver",  "da",      "de",      "dem",   "den",    "denne", "der",     "deres",
     "det",   "dette",   "dig",     "din",     "dine",  "disse",  "dit",   "dog",     "du",
     "efter", "ej",      "eller",   "en",      "end",   "er",     "et",    "for",     "fordi",
     "fra",   "få",      "går",     "ham",     "han",   "hans",   "har",   "havde",   "have",
     "hende", "hendes",  "her",     "hos",     "hun",   "hvad",   "hver",  "hvilken", "hvis",
     "hvor",  "hvordan", "hvorfor", "hvornår", "i",     "ikke",   "ind",   "ingen",   "intet",
     "jeg",   "jer",     "jeres",   "jo",      "kan",   "kom",    "kunne", "man",     "mange",
     "med",   "meget",   "men",     "mens",    "mig",   "min",    "mine",  "mit",     "mod",
     "må",    "måtte",   "ned",     "nogen",   "noget", "nogle",  "nok",   "nu",      "når",
     "og",    "også",    "om",      "op",      "os",    "over",   "på",    "sammen",  "selv",
     "sig",   "sin",     "sine",    "sit",     "skal",  "skulle", "som",   "så",      "sådan",
     "thi",   "til",     "ud",      "under",   "var",   "ved",    "vi",    "vil",     "ville",
     "vor",   "vores",   "være",    "været"});
static_assert(std::ranges::is_sorted(kDanish));

constexpr auto kDutch = std::to_array<std::string_view>(
    {"aan",    "al",      "alles",  "als",    "altijd", "andere", "ben",    "bij",    "daar",
     "dan",    "dat",     "de",     "der",    "deze",   "die",    "dit",    "doch",   "doen",
     "door",   "dus",     "een",    "eens",   "en",     "er",     "ge",     "geen",   "geweest",
     "haar",   "had",     "heb",    "hebben", "heeft",  "hem",    "het",    "hier",   "hij",
     "hoe",    "hun",     "iemand", "iets",   "ik",     "in",     "is",     "ja",     "je",
     "jij",    "jou",     "jouw",   "jullie", "kan",    "kon",    "kunnen", "maar",   "me",
     "meer",   "men",     "met",    "mij",    "mijn",   "moet",   "moeten", "na",     "naar",
     "niet",   "niets",   "nog",    "nooit",  "nu",     "of",     "om",     "omdat",  "onder",
     "ons",    "onze",    "ook",    "op",     "over",   "reeds",  "te",     "tegen",  "toch",
     "toen",   "tot",     "u",      "uit",    "uw",     "van",    "veel",   "voor",   "waar",
     "waarom", "wanneer", "want",   "waren",  "was",    "wat",    "we",     "wel",    "welke",
     "werd",   "wezen",   "wie",    "wij",    "wil",    "willen", "worden", "wordt",  "zal",
     "ze",     "zei",     "zelf",   "zich",   "zij",    "zijn",   "zo",     "zonder", "zou",
     "zullen"});
static_assert(std::ranges::is_sorted(kDutch));

constexpr auto kFinnish = std::to_array<std::string_view>(
    {"ei",     "eivät",  "emme",    "en",      "et",     "ette",    "että",    "he",      "heidän",
     "heille", "heillä", "heitä",   "hän",     "häneen", "hänelle", "hänellä", "hänen",   "hänet",
     "ja",     "jo",     "joka",    "jonka",   "jos",    "jossa",   "jota",    "jotka",   "kanssa",
     "koska",  "kuin",   "kuinka",  "kuka",    "kun",    "me",      "meidän",  "meille",  "meillä",
     "meitä",  "miksi",  "mikä",    "milloin", "minkä",  "minua",   "minulla", "minulle", "minun",
     "minut",  "minä",   "missä",   "mitä",    "mukaan", "mutta",   "myös",    "ne",      "niiden",
     "niin",   "niitä",  "noin",    "nuo",     "nyt",    "olemme",  "olen",    "olet",    "olette",
     "oli",    "olimme", "olin",    "olisi",   "olit",   "olivat",  "olla",    "olleet",  "ollut",
     "on",     "ovat",   "se",      "sekä",    "sen",    "siellä",  "siinä",   "siitä",   "sille",
     "sillä",  "sinua",  "sinulla", "sinun",   "sinä",   "sitä",    "tai",     "te",      "teidän",
     "tuo",    "tuossa", "tähän",   "tämä",    "tämän",  "tässä",   "tätä",    "täällä",  "vaan",
     "vai",    "vaikka", "vain",    "vielä",   "voi",    "yli"});
static_assert(std::ranges::is_sorted(kFinnish));

constexpr auto kFrench = std::to_array<std::string_view>(
    {"a",       "afin",    "ai",          "ainsi", "alors", "après",   "as",       "au",
     "aucun",   "aucune",  "aujourd'hui", "aussi", "autre", "autres",  "aux",      "avaient",
     "avait",   "avant",   "avec",        "avez",  "avoir", "avons",   "beaucoup", "bien",
     "c",       "ce",      "ceci",        "cela",  "celle", "celles",  "celui",    "ces",
     "cet",     "cette",   "ceux",        "chez",  "comme", "comment", "d",        "dans",
     "de",      "depuis",  "des",         "donc",  "dont",  "du",      "déjà",     "elle",
     "elles",   "en",      "encore",      "entre", "es",    "est",     "et",       "eu",
     "eux",     "faire",   "fait",        "font",  "fut",   "il",      "ils",      "j",
     "je",      "jusque",  "l",           "la",    "le",    "les",     "leur",     "leurs",
     "lors",    "lorsque", "lui",         "là",    "m",     "ma",      "mais",     "me",
     "mes",     "moi",     "moins",       "mon",   "même",  "n",       "ne",       "ni",
     "nos",     "notre",   "nous",        "on",    "ont",   "ou",      "où",       "par",
     "parce",   "pas",     "pendant",     "peu",   "peut",  "plus",    "pour",     "pourquoi",
     "puis",    "qu",      "quand",       "que",   "quel",  "quelle",  "quelles",  "quels",
     "qui",     "quoi",    "s",           "sa",    "sans",  "se",      "sera",     "ses",
     "si",      "soi",     "soit",        "son",   "sont",  "sous",    "suis",     "sur",
     "t",       "ta",      "te",          "tes",   "toi",   "ton",     "tous",     "tout",
     "toute",   "toutes",  "très",        "tu",    "un",    "une",     "va",       "vers",
     "voici",   "voilà",   "vos",         "votre", "vous",  "y",       "à",        "ça",
     "étaient", "était",   "étant",       "été",   "être"});
static_assert(std::ranges::is_sorted(kFrench));

constexpr auto kGerman = std::to_array<std::string_view>(
    {"ab",     "aber",    "alle",    "allem",    "allen",   "aller",   "alles",  "als",
     "also",   "am",      "an",      "ander",    "andere",  "anderen", "auch",   "auf",
     "aus",    "bei",     "beim",    "bin",      "bis",     "bist",    "da",     "dabei",
     "damit",  "dann",    "das",     "dass",     "dein",    "deine",   "deinem", "deinen",
     "deiner", "dem",     "den",     "denn",     "der",     "deren",   "des",    "dessen",
     "dich",   "die",     "dies",    "diese",    "diesem",  "diesen",  "dieser", "dieses",
     "dir",    "doch",    "dort",    "du",       "durch",   "ein",     "eine",   "einem",
     "einen",  "einer",   "eines",   "er",       "es",      "etwas",   "euch",   "euer",
     "eure",   "für",     "gegen",   "gibt",     "habe",    "haben",   "hast",   "hat",
     "hatte",  "hatten",  "hattest", "hier",     "hin",     "hinter",  "ich",    "ihm",
     "ihn",    "ihnen",   "ihr",     "ihre",     "ihrem",   "ihren",   "ihrer",  "im",
     "in",     "indem",   "ins",     "ist",      "ja",      "jede",    "jedem",  "jeden",
     "jeder",  "jedes",   "jene",    "jetzt",    "kann",    "kannst",  "kein",   "keine",
     "keinem", "keinen",  "keiner",  "können",   "könnte",  "machen",  "man",    "manche",
     "mehr",   "mein",    "meine",   "meinem",   "meinen",  "meiner",  "mich",   "mir",
     "mit",    "muss",    "musste",  "müssen",   "nach",    "nicht",   "nichts", "noch",
     "nun",    "nur",     "ob",      "oder",     "ohne",    "sehr",    "sein",   "seine",
     "seinem", "seinen",  "seiner",  "seit",     "selbst",  "sich",    "sie",    "sind",
     "so",     "soll",    "sollte",  "sondern",  "sonst",   "um",      "und",    "uns",
     "unser",  "unsere",  "unter",   "viel",     "vom",     "von",     "vor",    "wann",
     "war",    "waren",   "warst",   "warum",    "was",     "weg",     "weil",   "weiter",
     "welche", "welchem", "welchen", "welcher",  "welches", "wenn",    "wer",    "werde",
     "werden", "wessen",  "wie",     "wieder",   "will",    "wir",     "wird",   "wirst",
     "wo",     "wollen",  "wurde",   "wurden",   "während", "würde",   "würden", "zu",
     "zum",    "zur",     "zwar",    "zwischen", "über"});
static_assert(std::ranges::is_sorted(kGerman));

constexpr auto kItalian = std::to_array<std::string_view>(
    {"a",      "abbiamo", "ad",     "agli",   "ai",     "al",      "alla",   "alle",   "allo",
     "altra",  "altre",   "altri",  "altro",  "anche",  "ancora",  "avere",  "aveva",  "avevano",
     "avevo",  "c",       "che",    "chi",    "ci",     "ciò",     "coi",    "col",    "come",
     "con",    "contro",  "cosa",   "così",   "cui",    "d",       "da",     "dagli",  "dai",
     "dal",    "dalla",   "dalle",  "dallo",  "degli",  "dei",     "del",    "della",  "delle",
     "dello",  "di",      "dopo",   "dove",   "due",    "durante", "e",      "ed",     "era",
     "erano",  "ero",     "essere", "fa",     "fare",   "fra",     "fu",     "già",    "gli",
     "ha",     "hai",     "hanno",  "ho",     "i",      "il",      "in",     "io",     "l",
     "la",     "le",      "lei",    "li",     "lo",     "loro",    "lui",    "ma",     "me",
     "mentre", "mi",      "mia",    "mie",    "miei",   "mio",     "molto",  "ne",     "negli",
     "nei",    "nel",     "nella",  "nelle",  "nello",  "no",      "noi",    "non",    "nostra",
     "nostri", "nostro",  "o",      "ogni",   "per",    "perchè",  "perché", "più",    "poi",
     "prima",  "può",     "qua",    "quale",  "quali",  "quando",  "quanto", "quella", "quelle",
     "quelli", "quello",  "questa", "queste", "questi", "questo",  "qui",    "quindi", "sarà",
     "se",     "sei",     "senza",  "si",     "sia",    "siamo",   "siete",  "solo",   "sono",
     "sopra",  "sotto",   "stata",  "stati",  "stato",  "sto",     "su",     "sua",    "sue",
     "sugli",  "sui",     "sul",    "sulla",  "sulle",  "suo",     "suoi",   "te",     "ti",
     "tra",    "tu",      "tua",    "tue",    "tuo",    "tuoi",    "tutta",  "tutte",  "tutti",
     "tutto",  "un",      "una",    "uno",    "va",     "vi",      "voi",    "vostra", "vostro",
     "è"});
static_assert(std::ranges::is_sorted(kItalian));

constexpr auto kNorwegian = std::to_array<std::string_view>(
    {"alle",  "alltid",  "alt",   "andre",  "at",      "av",      "bare",  "ble",   "bli",
     "blir",  "blitt",   "da",    "de",     "deg",     "dem",     "den",   "denne", "der",
     "dere",  "deres",   "det",   "dette",  "din",     "dine",    "disse", "ditt",  "du",
     "eg",    "eller",   "en",    "enn",    "er",      "et",      "ett",   "etter", "for",
     "fordi", "fra",     "få",    "før",    "går",     "ha",      "hadde", "han",   "hans",
     "har",   "hatt",    "henne", "hennes", "her",     "hos",     "hun",   "hva",   "hvem",
     "hver",  "hvilken", "hvis",  "hvor",   "hvordan", "hvorfor", "i",     "ikke",  "ikkje",
     "ingen", "inn",     "ja",    "jeg",    "kan",     "kom",     "kunne", "man",   "mange",
     "med",   "meg",     "meget", "mellom", "men",     "mens",    "mer",   "min",   "mine",
     "mitt",  "mot",     "mye",   "må",     "måtte",   "ned",     "nei",   "noe",   "noen",
     "nok",   "nå",      "når",   "og",     "også",    "om",      "opp",   "oss",   "over",
     "på",    "samme",   "seg",   "selv",   "sin",     "sine",    "sitt",  "skal",  "skulle",
     "slik",  "som",     "så",    "til",    "under",   "ut",      "uten",  "var",   "ved",
     "vi",    "vil",     "ville", "vår",    "våre",    "være",    "vært"});
static_assert(std::ranges::is_sorted(kNorwegian));

constexpr auto kPortuguese = std::to_array<std::string_view>(
    {"a",      "ao",      "aos",    "aquela", "aquelas", "aquele", "aqueles", "aquilo", "as",
     "até",    "com",     "como",   "contra", "cuja",    "cujo",   "da",      "das",    "de",
     "dela",   "delas",   "dele",   "deles",  "depois",  "desde",  "dessa",   "desse",  "desta",
     "deste",  "do",      "dos",    "e",      "ela",     "elas",   "ele",     "eles",   "em",
     "entre",  "era",     "eram",   "essa",   "essas",   "esse",   "esses",   "esta",   "estas",
     "estava", "estavam", "este",   "estes",  "estou",   "está",   "estão",   "eu",     "foi",
     "for",    "foram",   "fosse",  "há",     "isso",    "isto",   "já",      "la",     "lhe",
     "lhes",   "lo",      "mais",   "mas",    "me",      "mesmo",  "meu",     "meus",   "minha",
     "minhas", "muito",   "na",     "nas",    "nem",     "no",     "nos",     "nossa",  "nossas",
     "nosso",  "nossos",  "num",    "numa",   "nunca",   "não",    "nós",     "o",      "onde",
     "os",     "ou",      "para",   "pela",   "pelas",   "pelo",   "pelos",   "pode",   "por",
     "porque", "porquê",  "quais",  "qual",   "quando",  "que",    "quem",    "quê",    "se",
     "sem",    "ser",     "seu",    "seus",   "sido",    "sobre",  "sou",     "sua",    "suas",
     "são",    "só",      "também", "te",     "tem",     "tenho",  "ter",     "teu",    "teus",
     "teve",   "tinha",   "tinham", "tive",   "toda",    "todas",  "todo",    "todos",  "tu",
     "tua",    "tuas",    "tudo",   "tém",    "têm",     "um",     "uma",     "umas",   "uns",
     "vai",    "você",    "vocês",  "vos",    "à",       "às",     "é"});
static_assert(std::ranges::is_sorted(kPortuguese));

constexpr auto kRussian = std::to_array<std::string_view>(
    {"а",     "без",    "бы",    "был",     "была",    "были",    "было",   "быть",  "в",
     "вам",   "вас",    "ваш",   "ваша",    "весь",    "во",      "вот",    "все",   "всего",
     "всех",  "всё",    "вы",    "где",     "да",      "даже",    "для",    "до",    "его",
     "ее",    "ей",     "ему",   "если",    "есть",    "еще",     "ещё",    "её",    "же",
     "за",    "здесь",  "и",     "из",      "или",     "им",      "их",     "к",     "как",
     "какая", "какой",  "когда", "которая", "которые", "который", "кто",    "куда",  "ли",
     "либо",  "лишь",   "между", "меня",    "мне",     "мной",    "мое",    "мои",   "мой",
     "моя",   "моё",    "мы",    "на",      "над",     "нам",     "нами",   "нас",   "наш",
     "наша",  "наши",   "не",    "него",    "нее",     "ней",     "нет",    "неё",   "ни",
     "них",   "но",     "ну",    "о",       "об",      "однако",  "он",     "она",   "они",
     "оно",   "от",     "очень", "по",      "под",     "пока",    "почему", "при",   "про",
     "с",     "сам",    "сама",  "свои",    "свой",    "своя",    "себе",   "себя",  "сейчас",
     "со",    "так",    "также", "такой",   "там",     "твой",    "твоя",   "тебе",  "тебя",
     "тем",   "теперь", "то",    "тобой",   "тогда",   "того",    "тоже",   "той",   "только",
     "том",   "тот",    "ту",    "тут",     "ты",      "у",       "уже",    "хотя",  "чего",
     "чем",   "через",  "что",   "чтобы",   "эта",     "эти",     "это",    "этого", "этой",
     "этом",  "этому",  "этот",  "эту",     "я"});
static_assert(std::ranges::is_sorted(kRussian));

constexpr auto kSpanish = std::to_array<std::string_view>(
    {"a",        "al",      "algo",    "algunas",  "alguno",   "algunos",  "ante",    "antes",
     "aquel",    "aquella", "aquí",    "así",      "aun",      "aunque",   "aún",     "cada",
     "casi",     "como",    "con",     "contra",   "cosa",     "cual",     "cuales",  "cuando",
     "cuál",     "cuándo",  "cuánto",  "cómo",     "da",       "de",       "del",     "desde",
     "donde",    "dos",     "durante", "dónde",    "e",        "el",       "ella",    "ellas",
     "ellos",    "en",      "entre",   "era",      "eran",     "eres",     "es",      "esa",
     "esas",     "ese",     "eso",     "esos",     "esta",     "estaba",   "estaban", "estado",
     "estamos",  "estar",   "estas",   "este",     "esto",     "estos",    "estoy",   "está",
     "están",    "estás",   "fue",     "fueron",   "ha",       "había",    "habían",  "hace",
     "hacer",    "hacia",   "han",     "has",      "hasta",    "hay",      "he",      "hemos",
     "la",       "las",     "le",      "les",      "lo",       "los",      "me",      "mi",
     "mientras", "mis",     "mucho",   "muchos",   "muy",      "más",      "mí",      "nada",
     "ni",       "no",      "nos",     "nosotros", "nuestra",  "nuestras", "nuestro", "nuestros",
     "o",        "os",      "otra",    "otras",    "otro",     "otros",    "para",    "pero",
     "poco",     "por",     "porque",  "pues",     "que",      "quien",    "quienes", "quién",
     "qué",      "se",      "sea",     "ser",      "será",     "si",       "sido",    "sin",
     "sobre",    "solo",    "somos",   "son",      "soy",      "su",       "sus",     "suya",
     "suyo",     "sí",      "sólo",    "también",  "tan",      "tanto",    "te",      "tengo",
     "tenía",    "ti",      "tiene",   "tienen",   "todo",     "todos",    "tras",    "tu",
     "tus",      "tuya",    "tuyo",    "tú",       "un",       "una",      "unas",    "uno",
     "unos",     "usted",   "ustedes", "va",       "vosotros", "voy",      "y",       "ya",
     "yo",       "él"});
static_assert(std::ranges::is_sorted(kSpanish));

constexpr auto kSwedish = std::to_array<std::string_view>(
    {"all",    "alla",   "allt",   "alltid", "andra", "att",   "av",     "bara",  "blev",
     "bli",    "blir",   "blivit", "da",     "de",    "dem",   "den",    "denna", "deras",
     "dess",   "dessa",  "det",    "detta",  "dig",   "din",   "dina",   "ditt",  "du",
     "där",    "då",     "efter",  "ej",     "eller", "en",    "er",     "era",   "ett",
     "från",   "få",     "för",    "går",    "ha",    "hade",  "han",    "hans",  "har",
     "henne",  "hennes", "hit",    "hon",    "honom", "hur",   "här",    "i",     "icke",
     "inga",   "ingen",  "inget",  "innan",  "inte",  "ja",    "jag",    "kan",   "kunde",
     "man",    "med",    "mellan", "men",    "mig",   "min",   "mina",   "mitt",  "mot",
     "mycket", "måste",  "ni",     "nog",    "nu",    "när",   "nästan", "någon", "något",
     "några",  "och",    "också",  "om",     "oss",   "på",    "redan",  "samma", "sedan",
     "sig",    "sin",    "sina",   "sitta",  "ska",   "skall", "skulle", "som",   "så",
     "sådan",  "till",   "under",  "upp",    "ut",    "utan",  "vad",    "var",   "vara",
     "varför", "varit",  "varje",  "vars",   "vart",  "vem",   "vi",     "vid",   "vilka",
     "vilken", "vilket", "vill",   "vår",    "våra",  "vårt",  "än",     "är",    "över"});
static_assert(std::ranges::is_sorted(kSwedish));

constexpr auto kTurkish = std::to_array<std::string_view>(
    {"acaba",   "ama",    "ancak",  "artık",  "asla",   "aslında",  "az",     "bana",    "bazı",
     "belki",   "ben",    "benden", "beni",   "benim",  "beri",     "bile",   "bir",     "biraz",
     "biri",    "birkaç", "birçok", "birşey", "biz",    "bizden",   "bize",   "bizi",    "bizim",
     "bu",      "buna",   "bunda",  "bundan", "bunlar", "bunu",     "bunun",  "burada",  "böyle",
     "böylece", "da",     "daha",   "dahi",   "de",     "defa",     "değil",  "diye",    "dolayı",
     "en",      "fakat",  "falan",  "gibi",   "göre",   "hala",     "hangi",  "hani",    "hatta",
     "hem",     "henüz",  "hep",    "hepsi",  "her",    "herhangi", "herkes", "hiç",     "hiçbir",
     "ile",     "ise",    "için",   "işte",   "kadar",  "kendi",    "kez",    "ki",      "kim",
     "kime",    "kimi",   "kimse",  "mi",     "mu",     "mü",       "mı",     "nasıl",   "ne",
     "neden",   "nerede", "nereye", "niye",   "niçin",  "o",        "olan",   "olarak",  "oldu",
     "olduğu",  "olur",   "ona",    "ondan",  "onlar",  "onlara",   "onları", "onların", "onu",
     "onun",    "orada",  "oysa",   "sadece", "sana",   "sen",      "senden", "seni",    "senin",
     "siz",     "size",   "sizi",   "sizin",  "sonra",  "tüm",      "var",    "ve",      "veya",
     "ya",      "yani",   "yine",   "yok",    "zaten",  "zira",     "çok",    "çünkü",   "şey",
     "şimdi",   "şu",     "şöyle"});
static_assert(std::ranges::is_sorted(kTurkish));

constexpr auto kLists = std::to_array<StopWordList>({
    {"arabic", kArabic},
    {"danish", kDanish},
    {"dutch", kDutch},
    {"finnish", kFinnish},
    {"french", kFrench},
    {"german", kGerman},
    {"italian", kItalian},
    {"norwegian", kNorwegian},
    {"portuguese", kPortuguese},
    {"russian", kRussian},
    {"spanish", kSpanish},
    {"swedish", kSwedish},
    {"turkish", kTurkish},
});

}  // namespace

std::span<const StopWordList> foreign_stop_words() { return kLists; }

}  // namespace maas::text
