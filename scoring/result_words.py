"""The words in which results are written, for `results.py`. Data only.

English in sets of small letters; the languages of South Asia with the verb at the end of
their sentences, all in one list: no word of one means something else in another.
"""

from __future__ import annotations

# English

WON = "won win wins"
BEATS = "beat beats bt"
# Of these the side before is the winner in "X defeated Y", the loser in "X defeated by Y".
DEFEATED = "defeated defeat defeats def thrashed trounced"
# These words have other uses, too ("X edge closer"), so the other side must be named.
CRUSHED = (
    "crush crushes crushed edge edges edged overcome overcomes overcame outplay outplays outplayed down downs downed "
    "hammer hammers hammered rout routs routed thrash thrashes trounce trounces outclass outclasses outclassed"
)
LOST = "lost lose loses"
VICTORY = "victory win triumph success"
LOSS = "defeat loss"
GAINS = (
    "claim claims claimed secure secures secured seal seals sealed register registers registered record records "
    "recorded complete completes completed earn earns earned take takes took get gets got grab grabs grabbed "
    "clinch clinches clinched awarded given granted handed receive receives received"
)
GAVE_UP = "conceded concede concedes forfeited forfeit forfeits"

VICTORIOUS = "victorious triumphed triumphs prevail prevails prevailed winner winners"
RUNS = "cruise cruises cruised romp romps romped race races raced ease eases eased power powered storm stormed"
MATCHES = "match game fixture tie final contest thriller encounter eliminator over test"
WEATHER = "rain bad the weather wet poor fog light covid"

# Between a side and what it did.
BETWEEN = (
    "'s the a an team side cc c cricket club have has had having is are was were been being be got get it now then "
    "also both easily comfortably narrowly just convincingly eventually finally deservedly duly heavily clearly only "
    "well again thus therefore hence who which"
)
GRADES = "xi 1st 2nd 3rd 4th 5th 6th first second third fourth women women's ladies men men's girls boys mens womens"
# A word that may follow a side's name without being a part of a longer one.
AFTER_A_SIDE = (
    "by in on at after with from under via for over and but the a an who which as today yesterday tonight here there "
    "again then despite thanks following through during v vs against without due because since while having to of "
    "when cc team side cricket is are was were has have had beat beaten won win lost yet so duly comfortably easily "
    "dls d vjd method"
)
SOMEBODY = "a an one two three four five six seven eight nine ten"

# Other things than a match that are won or lost.
OTHER_PRIZES = (
    "toss coin flip series session sessions award awards points point lead trophy rubber honours praise hearts "
    "promotion penalty penalties"
)
OTHER_WINNING = "winning lead leads led drew draw tied levelled take takes took"
OTHER_LOSSES = "wicket wickets wkt wkts overs runs run extras balls innings players time plot captain opener openers"

CHOSE = "elect elects elected choose chooses chose opt opts opted decided bat bowl field batted"

# What follows these in a clause has not happened.
DOUBT = (
    "not never nobody none neither nor cannot can could may might will shall must need needs needed needing "
    "require requires required requiring want wants wanted hope hopes hoping yet chance chances probability likely "
    "predicted prediction projected favourites favorites almost nearly without target expected aiming "
    "didn't doesn't don't won't can't couldn't wasn't weren't isn't aren't hasn't haven't hadn't wouldn't shouldn't"
)
HOPED_FOR = "win beat defeat tie draw lose chase claim seal complete secure take clinch level"  # after "to"
# A text with one of these says nothing for sure.
CONDITIONS = "if unless whether would should provided"
CHANCES = "probability prob chance chances predictor prediction percentage odds rate likelihood % ratio"

# Words that a short name may look like, besides those above.
ORDINARY = (
    "all and as at ball bat be bowl by can day did do dls draw drawn due end ended even ever fell final five for four "
    "from full game go he her his home how i in inning into is its led level light low made man many match mom more "
    "most new no non odi of off on one or our out over own par play played pom pots rain ran reply result rest "
    "run runs sat score she six so sun super t20 ten test than that their them they this tie tied ties to too top tri "
    "two up us v vjd void vs was we wet when why wkt wkts wicket you yet your abandoned cancelled winner winners"
)

# South Asia

SOUTH_ASIAN_WON = (
    # Hindi, Marathi
    "जीता, जीती, जीते, जीत, जीत गया, जीत गई, जीत गयी, जीत गए, जीत गये, जीत ली, जीत लिया, विजयी, "
    "जिंकला, जिंकली, जिंकले, जिंकलं, विजय, "
    # Urdu
    "جیتا, جیتی, جیتے, جیت, جیت گیا, جیت گئی, جیت گئے, جیت لی, جیت لیا, فتح, فاتح, "
    # Bengali
    "জিতেছে, জিতল, জিতলো, জিতে, জিতে গেছে, জিতে গেল, জয়, জয়ী, জয়লাভ, "
    # Gujarati, Punjabi
    "જીત્યું, જીત્યો, જીત્યા, જીતી, જીત, વિજય, વિજયી, ਜਿੱਤਿਆ, ਜਿੱਤੀ, ਜਿੱਤੇ, ਜਿੱਤ, ਜਿੱਤ ਗਿਆ, ਜਿੱਤ ਗਈ, ਜਿੱਤ ਗਏ, ਜੇਤੂ, "
    # Tamil, Telugu
    "வென்றது, வென்றனர், வென்றுள்ளது, வெற்றி, ஜெயித்தது, గెలిచింది, గెలిచారు, గెలుపొందింది, గెలుపు, విజయం, "
    # Kannada, Malayalam, Sinhala
    "ಗೆದ್ದಿತು, ಗೆದ್ದಿದೆ, ಗೆದ್ದರು, ಗೆಲುವು, ಜಯ, ವಿಜಯ, ജയിച്ചു, വിജയിച്ചു, ജയം, വിജയം, "
    "ජයගත්තේය, ජයගත්තා, ජයගත්හ, ජයගනී, ජයග්‍රහණය, ජය, දිනුවා, "
    # Hindi and Urdu in Latin letters
    "jeeta, jeeti, jeete, jeet gaya, jeet gayi, jeet gaye, jeet gai, jeet li, jeet liya, ki jeet"
)
SOUTH_ASIAN_BEAT = (
    "हराया, हरा दिया, हराकर, मात दी, मात दे दी, शिकस्त दी, पराजित किया, हरवले, हरवलं, हरवला, पराभूत केले, "
    "ہرایا, ہرا دیا, شکست دی, شکست دے دی, مات دی, مات دے دی, হারিয়েছে, হারাল, হারালো, হারিয়ে, হারিয়ে দিয়েছে, পরাজিত করেছে, "
    "હરાવ્યું, હરાવ્યા, હરાવ્યો, હરાવી, હરાવી દીધું, ਹਰਾਇਆ, ਹਰਾ ਦਿੱਤਾ, "
    "வீழ்த்தியது, தோற்கடித்தது, ఓడించింది, ఓడించారు, ಸೋಲಿಸಿತು, ಸೋಲಿಸಿದೆ, ಮಣಿಸಿತು, "
    "തോൽപ്പിച്ചു, തോല്പ്പിച്ചു, പരാജയപ്പെടുത്തി, കീഴടക്കി, පරාජය කළේය, පරාජය කළා, පැරදුවා, "
    "haraya, hara diya, ko shikast di"
)
SOUTH_ASIAN_LOST = (
    "हारा, हारी, हारे, हार, हार गया, हार गई, हार गयी, हार गए, हार गये, हरला, हरली, हरले, पराभूत झाला, "
    "ہارا, ہاری, ہارے, ہار, ہار گیا, ہار گئی, ہار گئے, شکست, হেরেছে, হারল, হারলো, হেরে, হেরে গেছে, হেরে গেল, পরাজিত, "
    "હાર્યું, હાર્યો, હાર્યા, હારી, હાર, ਹਾਰਿਆ, ਹਾਰੀ, ਹਾਰੇ, ਹਾਰ, ਹਾਰ ਗਿਆ, ਹਾਰ ਗਈ, ਹਾਰ ਗਏ, "
    "தோற்றது, தோல்வி, தோல்வியடைந்தது, ఓడింది, ఓడిపోయింది, ఓటమి, ಸೋತಿತು, ಸೋತಿದೆ, ಸೋಲು, "
    "തോറ്റു, പരാജയപ്പെട്ടു, തോൽവി, පැරදුණා, පරාජය විය, "
    "haara, haari, haare, haar gaya, haar gayi, haar gaye, haar gai, har gaya, har gayi, har gaye, har gai"
)
SOUTH_ASIAN_TIED = "टाई, बराबर, ٹائی, برابر, টাই, ટાઈ, ਟਾਈ, டை, టై, ಟೈ, ടൈ, ටයි"

# What stands behind a name, as a word or joined to it: who did it, whom it was done to, from or against whom, whose.
DID_IT = "ने नी نے ਨੇ એ ne"
DONE_TO = "को ला کو কে ને ਨੂੰ ని ను ವನ್ನು ಅನ್ನು യെ നെ யை வை ko"
FROM_WHOM = "से पर कडून سے پر থেকে থী થી પર ਤੋਂ ਤੇ పై మీద के کے ના ਦੇ se par ke"
AGAINST = "खिलाफ ख़िलाफ़ विरुद्ध हाथों خلاف ہاتھوں বিপক্ষে বিরুদ্ধে কাছে વિરુદ્ધ સામે ਖ਼ਿਲਾਫ਼ ವಿರುದ್ಧ khilaf hathon"
WHOSE = "की का चा ची चे کی کا র এর ের ની નો નું ਦੀ ਦਾ യുടെ ന്റെ ki ka"

# A clause that holds one of these tells of something else, or of what has not happened.
SOUTH_ASIAN_DOUBT = (
    "नहीं नही चाहिए ज़रूरत जरूरत ज़रूरी टॉस टास सीरीज सीरीज़ श्रृंखला लिए अगर नाही हवे हव्यात आवश्यकता गरज नाणेफेक मालिका "
    "نہیں چاہیے چاہئے درکار ٹاس ضرورت سیریز لیے لئے اگر "
    "না নি দরকার প্রয়োজন টস টসে সিরিজ যদি নেই নથી નથી જોઈએ જરૂર ટોસ શ્રેણી ਨਹੀਂ ਚਾਹੀਦੇ ਚਾਹੀਦਾ ਲੋੜ ਟਾਸ ਸੀਰੀਜ਼ ਲਈ "
    "இல்லை தேவை டாஸ் டாஸை தொடர் தொடரை பெற లేదు కావాలి అవసరం టాస్ సిరీస్ ಇಲ್ಲ ಬೇಕು ಟಾಸ್ ಸರಣಿ "
    "ഇല്ല വേണം ടോസ് പരമ്പര නැත අවශ්‍ය කාසියේ ටොස් chahiye nahi nahin toss series agar"
)
