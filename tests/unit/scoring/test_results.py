from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.reading import short_name
from scoring.results import Outcome, is_side, outcome_of
from scoring.scoreboard import Team

# A name for a win of that side, else how it ended.
SOMEBODY, TIE, NONE = "somebody won", "tie", "none"


def team(name: str, short: str | None = None) -> Team:
    return Team(name, short_name(name) if short is None else short)


def expected_of(end: str) -> Outcome:
    kinds = {SOMEBODY: Outcome("win"), TIE: Outcome("tie"), NONE: Outcome("none")}
    return kinds.get(end) or Outcome("win", end)


RED, BLUE = team("Red Valley"), team("Blue Hill")
TEXTS = {
    RED.name: """
        Awarded to Red Valley
        Blue Hill 5 रन से हार गई
        Blue Hill are beaten by 5 runs
        Blue Hill concede, rain
        Blue Hill conceded a walkover to Red Valley
        Blue Hill conceded defeat
        Blue Hill forfeited. Red Valley awarded the win
        Blue Hill haar gaya
        Blue Hill lost by 5 runs to Red Valley
        Blue Hill went down by 5 runs
        Blue Hill were bowled out and lost
        Blue Hill were well beaten by Red Valley
        Blue Hill won the toss. Red Valley won by 4 wickets
        Blue Hill को Red Valley ने हरा दिया
        Blue Hill पर Red Valley की 5 रन से जीत
        Blue Hill हार गया
        Despite losing the toss Red Valley won by 5 runs
        FT: Red Valley beat Blue Hill 2-1
        Game awarded to Red Valley
        Match abandoned and awarded to Red Valley
        Match drawn (Red Valley won on first innings)
        Match drawn; Red Valley won on first innings lead
        Match forfeited by Blue Hill
        Match tied (Red Valley won the Super Over)
        Match tied. RV won the super over.
        Red Valley (batting first) won by 5 runs
        Red Valley (RV) beat Blue Hill (BH)
        Red Valley - 1st XI - Won
        Red Valley - Won
        Red Valley - won; Blue Hill - lost
        Red Valley 101 for 4 won
        Red Valley 150-6 (20), Blue Hill 140-9 (20): Red Valley win by 10 runs
        Red Valley 150/6 (20 ov) beat Blue Hill 140/9 (20 ov) by 10 runs
        RED VALLEY BEAT BLUE HILL
        Red Valley beat Blue Hill after losing the toss
        Red Valley beat Blue Hill by 5 runs
        Red Valley beat Blue Hill to level the series 1-1
        Red Valley beat themselves
        Red Valley bt Blue Hill by 5 runs
        Red Valley comfortably beat Blue Hill
        Red Valley def Blue Hill
        Red Valley def. Blue Hill by 5 runs
        Red Valley defeated Blue Hill by an innings and 5 runs
        Red Valley edge past Blue Hill
        Red Valley edged Blue Hill by 1 run
        Red Valley given walkover as Blue Hill failed to turn up
        Red Valley had won
        Red Valley has defeated Blue Hill
        Red Valley have beaten Blue Hill by 3 runs
        Red Valley have easily beaten Blue Hill
        Red Valley have won
        Red Valley jeet gaya
        Red Valley ne Blue Hill ko 5 run se haraya
        Red Valley thrash Blue Hill
        Red Valley thrashed Blue Hill
        Red Valley v Blue Hill, Red Valley won
        Red Valley victory by 5 runs
        Red Valley win
        Red Valley win by 5 runs v Blue Hill
        Red Valley win the cup by 5 runs
        Red Valley won (fewer wickets lost)
        Red Valley won (Super Over)
        Red Valley won 2-1
        Red Valley won against Blue Hill
        Red Valley won by 1 run
        Red Valley won by 12 runs (D/L method)
        Red Valley won by 5 runs
        Red Valley won by 5 runs (DLS)
        Red Valley won by 5 runs (series tied 1-1)
        Red Valley won by 5 runs, Blue Hill won the series 2-1
        Red Valley won by 5 wickets (with 3 balls remaining) (DLS method)
        Red Valley won by an innings and 5 runs
        Red Valley won by losing fewer wickets
        Red Valley won having lost fewer wickets
        Red Valley won in the Super Over
        Red Valley won on DLS
        Red Valley won on first innings
        Red Valley won on higher run rate
        Red Valley won the final
        Red Valley won the match by an innings and 12 runs
        Red Valley won the Super Over after the match was tied
        Red Valley won the toss and won by 5 runs
        Red Valley won via Super Over
        Red Valley की 5 रन से जीत
        Red Valley की जीत, Blue Hill की हार
        Red Valley ने Blue Hill को 5 रन से हराया
        Red Valley's win over Blue Hill
        Red Valley: 150/6, Blue Hill: 140/9. Red Valley won by 10 runs.
        Red Valley: won by 5 runs
        Red Valley’s victory
        Result: Red Valley won
        RV BEAT BH
        RV won by 5 runs
        rv won by 5 runs
        Scores tied; Red Valley won on fewer wickets lost
        Super Over tied, Red Valley won on boundary count
        Toss won by Blue Hill; match won by Red Valley
        Toss: Blue Hill, who chose to bat. Red Valley won by 3 runs
        Valley beat Blue Hill by 2 wickets
        Valley have beaten Blue Hill
        Victory by 5 runs for Red Valley
        Victory to Red Valley by 8 wickets
        Walkover to Red Valley
    """,
    BLUE.name: """
        5-run win over Red Valley
        A five-wicket victory for Blue Hill!
        An easy win for Blue Hill
        Beaten by Blue Hill
        BH beat RV by 3 wkts
        Blue Hill 5 रन से जीता
        Blue Hill are the winners
        Blue Hill awarded the match
        Blue Hill beat Red Valley by 1 wicket (Super Over)
        Blue Hill beats Red Valley
        Blue Hill clinch victory
        Blue Hill complete 5-wicket win
        Blue Hill cruise to victory
        Blue Hill lost the toss but won by 5 runs
        Blue Hill sealed a 5-run win
        Blue Hill win Super Over 12-9
        Blue Hill winners by 5 runs
        Blue Hill won by 3 wkts (VJD method)
        BLUE HILL WON BY 5 RUNS
        blue hill won by 5 runs
        Blue Hill won by 5 wickets
        Blue Hill won by 5 wickets with 3 balls remaining
        Blue Hill won by 8 wkts (37 balls left)
        Blue Hill won by default
        Blue Hill won by forfeit
        Blue Hill won by walkover
        Blue Hill won One-Over Eliminator
        Blue Hill won Test
        Blue Hill won the bowl-out 3-0
        Blue Hill's defeat of Red Valley
        Defeat for Red Valley
        Match awarded to Blue Hill
        Match conceded by Red Valley
        Match lost to Blue Hill
        Match tied (Blue Hill win eliminator)
        Match tied; Blue Hill won the one-over eliminator
        Match tied; decided by boundary count: Blue Hill win
        Match was awarded to Blue Hill
        Match won by 5 runs by Blue Hill
        Match won by Blue Hill
        MATCH WON BY BLUE HILL
        Red Valley 150 all out lost to Blue Hill 151/3 by 7 wickets
        Red Valley beaten
        Red Valley beaten by Blue Hill by 5 runs
        Red Valley conceded
        Red Valley conceded the match
        Red Valley crushed by Blue Hill
        Red Valley def. by Blue Hill
        Red Valley defeated
        Red Valley defeated by 5 runs
        Red Valley defeated by Blue Hill
        Red Valley easily beaten
        Red Valley forfeit
        Red Valley forfeited the match
        Red Valley got beaten by 5 runs
        Red Valley hammered by 10 wickets
        Red Valley has been beaten by Blue Hill
        Red Valley have been beaten
        Red Valley have been beaten by Blue Hill
        Red Valley lost 3 wickets, Blue Hill won by 5 runs
        Red Valley lost against Blue Hill by 5 runs
        Red Valley lost by 5 runs
        RED VALLEY LOST BY 5 RUNS
        Red Valley lost to Blue Hill
        Red Valley lost to Blue Hill by 5 runs
        Red Valley suffered defeat
        Red Valley vs. Blue Hill: Blue Hill won by 5 runs
        Red Valley were beaten
        Red Valley were beaten by 5 runs
        Red Valley were defeated
        Red Valley were thrashed
        Red Valley won the toss, Blue Hill won the match
        Red Valley के खिलाफ Blue Hill की जीत
        Red Valley को हराकर Blue Hill ने जीत दर्ज की
        Red Valley's defeat by Blue Hill
        Red Valley, who won the toss, lost by 5 runs
        RV LOST TO BH
        Tied, Blue Hill won on count back
        tied; Blue Hill won the one-over eliminator
        Valley lost to Blue Hill
        Victory for Blue Hill
        Walkover for Blue Hill
        Walkover given to Blue Hill
        Well played Red Valley, Blue Hill won by 5 runs
        Win for Blue Hill
        WIN FOR BLUE HILL
        Winner: Blue Hill
        Winners - Blue Hill
        Winning team: Blue Hill
        Won by Blue Hill by 5 runs
    """,
    SOMEBODY: """
        Blue Hill - walkover
        Home win
        Hosts won by 5 runs
        Match won by Valley
        Red Valley [W] won by 5 runs
        Red Valley II won by 5 runs
        Red Valley vs. Blue Hill won by 5 runs
        Red Valleys won
        Valley beat Hill by 2 wickets
        Valley won by 5 runs
        Won by 5 runs
        मुंबई ने हराया
    """,
    TIE: """
        Scores level
        The scores finished level
        Match ended in a tie
        Match tied
        MATCH TIED
        Match tied (Red Valley won the toss)
        Match tied - no super over
        Match tied, Super Over tied
        Red Valley and Blue Hill tied
        Red Valley tie with Blue Hill
        Red Valley tied with Blue Hill
        The match between Red Valley and Blue Hill ended in a tie
        TIE
        Tie - scores level
        मैच टाई
    """,
    NONE: """
        46 needed for victory
        5 penalty runs awarded to Blue Hill
        8 overs lost to rain
        Abandoned
        Abandoned (Red Valley needed 12 to win)
        Blue Hill are favourites to win
        Blue Hill awarded 5 penalty runs
        Blue Hill conceded 5 penalty runs
        Blue Hill could win
        Blue Hill did not win
        Blue Hill didn't win
        Blue Hill failed to win
        Blue Hill lost their last 5 wickets for 10
        Blue Hill need 1 run for victory
        Blue Hill require 30 to beat Red Valley
        Blue Hill won the series 2-1
        Blue Hill won toss, bat first
        Can Red Valley win?
        Cup tie: Red Valley v Blue Hill abandoned
        Drawn
        MATCH ABANDONED
        Match abandoned - Red Valley won the toss
        Match abandoned without a ball bowled
        Match cancelled
        Match conceded
        Match drawn
        Match drawn, Red Valley won the toss
        Match ended in a draw
        Match forfeited
        Match In Progress
        Match lost to rain
        Match postponed
        Must win for Blue Hill
        Need 1 to tie
        Neither side won
        No result
        No result: Red Valley need 30 to win
        Not tied
        Play abandoned, Red Valley were winning
        Player of the match award won by Blue Hill's A Stone
        Points shared
        Red Valley 2 - 1 Blue Hill
        Red Valley 2-1 Blue Hill
        Red Valley 3 Blue Hill 1
        Red Valley 45/2 - no result
        Red Valley 60% to win
        Red Valley and Blue Hill drew
        Red Valley are 5 wickets from victory
        Red Valley awarded 5 points
        Red Valley beat Blue Hill; Blue Hill beat Red Valley
        Red Valley can still win
        Red Valley cannot win
        Red Valley chances of victory: 60%
        Red Valley conceded 45 extras
        Red Valley could tie
        Red Valley down and out
        Red Valley drew with Blue Hill
        Red Valley edge closer
        Red Valley forfeited their second innings
        Red Valley get ready for victory
        Red Valley have won the toss and will bat
        Red Valley hope to beat Blue Hill
        Red Valley lead series 2-0
        Red Valley leading
        Red Valley level the series
        Red Valley likely to win
        Red Valley lost 5 wickets for 10
        Red Valley lost and Blue Hill lost
        Red Valley lost the toss
        Red Valley lost toss
        Red Valley must win
        Red Valley need 46 runs from 30 balls to win
        Red Valley need 46 to win
        Red Valley never won
        Red Valley on the way to victory
        Red Valley push for victory
        Red Valley should beat Blue Hill
        Red Valley sniff victory
        Red Valley to win
        Red Valley took first innings lead, match drawn
        Red Valley took first-innings points
        Red Valley trail by 50 runs
        Red Valley unbeaten
        Red Valley v Blue Hill: match abandoned
        RED VALLEY V BLUE HILL: MATCH ABANDONED
        Red Valley v Blue Hill: who will win?
        Red Valley vs Blue Hill - no result
        Red Valley will not win
        Red Valley will win
        Red Valley win chance 60%
        Red Valley win if it rains
        Red Valley win probability 60%
        Red Valley win the toss, elect to bowl
        Red Valley winning
        Red Valley won 3 of the last 5
        Red Valley won and elected to field
        Red Valley won series 2-1
        Red Valley won the 3-match series
        Red Valley won the coin toss
        Red Valley won the toss
        RED VALLEY WON THE TOSS
        Red Valley won the toss & elected to bat
        Red Valley won the toss and chose to bat
        Red Valley WON THE TOSS AND ELECTED TO BAT
        Red Valley won, Blue Hill won
        Red Valley would win
        Red Valley yet to bat
        Red Valley को जीत के लिए 46 रन चाहिए
        Red Valley जीत के करीब
        Red Valley नहीं जीता
        Red Valley ने टॉस जीता
        Red Valley ने सीरीज जीती
        Series tied 1-1
        Series won by Red Valley
        Southbank: 152/7 (20.0/20 OVERS )
        Target 150
        The match between Red Valley and Blue Hill was abandoned
        Toss winner: Blue Hill
        Toss won by Red Valley
        Toss: Blue Hill
        Toss: Red Valley won and chose to bat
        Victory! Red Valley
        Washed out
        Will Red Valley win?
        Win probability: Red Valley 60%
        मैच रद्द
        सीरीज टाई
        सीरीज बराबर
    """,
}


@pytest.mark.parametrize("sides", [(RED, BLUE), (BLUE, RED)], ids=["red bats", "blue bats"])
@pytest.mark.parametrize(
    ("text", "end"), [(line.strip(), end) for end, lines in TEXTS.items() for line in lines.strip().splitlines()]
)
def test_a_text_says_who_won_only_in_so_many_words(text: str, end: str, sides: tuple[Team, Team]) -> None:
    assert outcome_of(text, sides) == expected_of(end)


OTHER_SIDES: list[tuple[tuple[Team, ...], str]] = [
    (
        (team("Mumbai"), team("Mumbai Indians")),
        """
        Mumbai Indians won by 5 runs -> Mumbai Indians
        Mumbai won by 5 runs -> Mumbai
        Mumbai beat Mumbai Indians -> Mumbai
        MI lost to Mumbai -> Mumbai
        MUMBAI INDIANS WON BY 1 RUN -> Mumbai Indians
        """,
    ),
    (
        (team("Red Valley"), team("Red Valley II", "RV2")),
        """
        Red Valley II won by 5 runs -> Red Valley II
        Red Valley won by 5 runs -> Red Valley
        Red Valley II lost to Red Valley -> Red Valley
        Red Valley 2nd XI won -> somebody won
        Red Valley beat Red Valley 2nd XI by 3 runs -> Red Valley
        Won by Red Valley III -> somebody won
        """,
    ),
    (
        (team("Red Valley (W)"), team("Blue Hill (W)")),
        """
        Red Valley (W) won by 5 runs -> Red Valley (W)
        RED VALLEY (W) LOST -> Blue Hill (W)
        Blue Hill (W) beat Red Valley (W) -> Blue Hill (W)
        Match tied (Blue Hill (W) won the Super Over) -> Blue Hill (W)
        """,
    ),
    (
        (team("Red Valley (W)"), team("Red Valley")),
        """
        Red Valley (W) won by 5 runs -> Red Valley (W)
        Red Valley won by 5 runs -> Red Valley
        """,
    ),
    (
        (team("लाल घाटी"), team("Blue Hill")),
        """
        लाल घाटी won by DLS -> लाल घाटी
        लाल घाटी ने Blue Hill को हराया -> लाल घाटी
        लाल घाटी 5 रन से जीती -> लाल घाटी
        लाल घाटी हार गई -> Blue Hill
        लाल घाटी की जीत -> लाल घाटी
        लाल घाटी नीचे -> none
        लाल घाटीने Blue Hill ला हरवले -> लाल घाटी
        लाल घाटी lost by 5 runs -> Blue Hill
        Blue Hill beat लाल घाटी -> Blue Hill
        """,
    ),
    (
        (team("நீல மலை"), team("Blue Hill")),
        """
        நீல மலை won by 5 runs -> நீல மலை
        நீல மலை 5 ரன்கள் வித்தியாசத்தில் வெற்றி பெற்றது -> நீல மலை
        நீல மலை வென்றது -> நீல மலை
        நீல மலை தோல்வி அடைந்தது -> Blue Hill
        Blue Hill beat நீல மலை by 5 runs -> Blue Hill
        நீல மலை வெற்றி பெற 46 ரன்கள் தேவை -> none
        நீல மலை டை -> tie
        """,
    ),
    (
        (team("سرخ وادی"), team("نیلی پہاڑی")),
        """
        سرخ وادی نے نیلی پہاڑی کو 5 رنز سے ہرا دیا -> سرخ وادی
        سرخ وادی نے نیلی پہاڑی کو شکست دے دی -> سرخ وادی
        سرخ وادی 5 رنز سے جیت گئی -> سرخ وادی
        نیلی پہاڑی کو 5 رنز سے شکست -> سرخ وادی
        نیلی پہاڑی ہار گئی -> سرخ وادی
        سرخ وادی نے ٹاس جیتا -> none
        سرخ وادی کی فتح -> سرخ وادی
        سرخ وادی won by 5 runs -> سرخ وادی
        سیریز برابر -> none
        میچ برابر -> tie
        نیلی پہاڑی کے خلاف سرخ وادی کی جیت -> سرخ وادی
        """,
    ),
    (
        (team("ভারত"), team("বাংলাদেশ")),
        """
        ভারত বাংলাদেশকে ৫ রানে হারিয়েছে -> ভারত
        ভারত ৫ রানে জিতেছে -> ভারত
        বাংলাদেশ হেরে গেছে -> ভারত
        বাংলাদেশের জয় -> বাংলাদেশ
        ভারতের জয় -> ভারত
        ভারত টস জিতেছে -> none
        বাংলাদেশ জয়ী -> বাংলাদেশ
        ভারতের বিপক্ষে বাংলাদেশের জয় -> বাংলাদেশ
        ভারতের কাছে হেরে গেছে বাংলাদেশ -> somebody won
        বাংলাদেশ ভারতের কাছে হেরেছে -> ভারত
        """,
    ),
    (
        (team("मुंबई"), team("चेन्नई")),
        """
        मुंबईने चेन्नईला हरवले -> मुंबई
        मुंबईने चेन्नई संघाला हरवले -> मुंबई
        मुंबई ५ धावांनी जिंकली -> मुंबई
        चेन्नई हरली -> मुंबई
        मुंबई संघाने चेन्नई संघाला हरवले -> मुंबई
        मुंबईचा विजय -> मुंबई
        """,
    ),
    (
        (team("મુંબઈ"), team("રાજકોટ")),
        """
        મુંબઈએ રાજકોટને હરાવ્યું -> મુંબઈ
        મુંબઈ જીત્યું -> મુંબઈ
        રાજકોટ હારી ગયું -> મુંબઈ
        મુંબઈની જીત -> મુંબઈ
        """,
    ),
    (
        (team("ਪੰਜਾਬ"), team("ਦਿੱਲੀ")),
        """
        ਪੰਜਾਬ ਨੇ ਦਿੱਲੀ ਨੂੰ 5 ਦੌੜਾਂ ਨਾਲ ਹਰਾਇਆ -> ਪੰਜਾਬ
        ਪੰਜਾਬ ਜਿੱਤ ਗਿਆ -> ਪੰਜਾਬ
        ਦਿੱਲੀ ਹਾਰ ਗਈ -> ਪੰਜਾਬ
        """,
    ),
    (
        (team("హైదరాబాద్"), team("చెన్నై")),
        """
        హైదరాబాద్ 5 పరుగుల తేడాతో గెలిచింది -> హైదరాబాద్
        హైదరాబాద్ చెన్నైని ఓడించింది -> హైదరాబాద్
        చెన్నై ఓడిపోయింది -> హైదరాబాద్
        చెన్నైపై హైదరాబాద్ విజయం -> హైదరాబాద్
        """,
    ),
    (
        (team("ಬೆಂಗಳೂರು"), team("ಮೈಸೂರು")),
        """
        ಬೆಂಗಳೂರು 5 ರನ್‌ಗಳಿಂದ ಗೆದ್ದಿತು -> ಬೆಂಗಳೂರು
        ಮೈಸೂರು ಸೋತಿತು -> ಬೆಂಗಳೂರು
        ಬೆಂಗಳೂರು ಮೈಸೂರು ತಂಡವನ್ನು ಸೋಲಿಸಿತು -> ಬೆಂಗಳೂರು
        """,
    ),
    (
        (team("കൊച്ചി"), team("തൃശൂർ")),
        """
        കൊച്ചി 5 റൺസിന് വിജയിച്ചു -> കൊച്ചി
        തൃശൂർ തോറ്റു -> കൊച്ചി
        കൊച്ചി തൃശൂരിനെ തോൽപ്പിച്ചു -> കൊച്ചി
        """,
    ),
    (
        (team("ගාල්ල"), team("කොළඹ")),
        """
        ගාල්ල ලකුණු 5කින් ජයගත්තේය -> ගාල්ල
        කොළඹ පැරදුණා -> ගාල්ල
        """,
    ),
    (
        (team("Winchester"), team("Lost Boys CC", "LOST")),
        """
        Winchester won by 5 runs -> Winchester
        Lost Boys CC beat Winchester -> Lost Boys CC
        Lost Boys CC lost to Winchester -> Winchester
        Winchester v Lost Boys CC: abandoned -> none
        Lost Boys CC tied with Winchester -> tie
        WINCHESTER WIN BY 5 RUNS -> Winchester
        LOST BOYS CC WIN BY 5 RUNS -> Lost Boys CC
        Lost Boys CC win by 5 runs -> Lost Boys CC
        WIN won by 5 runs -> Winchester
        Lost Boys CC v Winchester -> none
        Lost Boys won -> somebody won
        """,
    ),
    (
        (team("Drawn Bats"), team("Tie Breakers", "TIE")),
        """
        Drawn Bats won by 5 runs -> Drawn Bats
        Tie Breakers v Drawn Bats -> none
        Tie Breakers beat Drawn Bats -> Tie Breakers
        Tie Breakers and Drawn Bats tied -> tie
        Drawn Bats lost -> Tie Breakers
        Match drawn -> none
        """,
    ),
    (
        (team("Beatrice XI"), team("Defeated Dogs")),
        """
        Beatrice XI beat Defeated Dogs -> Beatrice XI
        Beatrice XI lost by a run -> Defeated Dogs
        Victory for Beatrice XI -> Beatrice XI
        Defeated Dogs v Beatrice XI -> none
        """,
    ),
    (
        (team("Red Valley"), team("Royal Vikings")),
        """
        RV won by 5 runs -> somebody won
        Red Valley won -> Red Valley
        Royal Vikings beat RV -> Royal Vikings
        """,
    ),
    (
        (team("A"), team("B")),
        """
        A won by 5 runs -> A
        B won by a wicket -> B
        A beat B -> A
        A win for B -> B
        B lost -> A
        A v B -> none
        B WON BY A WICKET -> B
        A WON BY 5 RUNS -> A
        A WIN FOR B -> B
        A beat B by 5 runs -> A
        A lost to B -> B
        A tied with B -> tie
        A defeated by B -> B
        """,
    ),
    (
        (team("Canterbury"), team("Otago")),
        """
        CAN won by 5 runs -> Canterbury
        Otago can win -> none
        Canterbury beat OTA -> Canterbury
        OTAGO CAN WIN -> none
        Otago won by 5 runs -> Otago
        CANTERBURY WON BY 5 RUNS -> Canterbury
        """,
    ),
    (
        (team("Deep Lake Stars"), team("Red Valley")),
        """
        Red Valley won by DLS -> Red Valley
        DLS won by 5 runs -> Deep Lake Stars
        Red Valley beat DLS by 5 runs (DLS) -> Red Valley
        RED VALLEY WON BY DLS -> Red Valley
        """,
    ),
    (
        (team("Fifth XI", "5"), team("Red Valley")),
        """
        Red Valley won by 5 runs -> Red Valley
        5 won by 3 runs -> somebody won
        """,
    ),
    (
        (team("🦁"), team("Red Valley")),
        """
        🦁 won by 5 runs -> 🦁
        Red Valley lost to 🦁 -> 🦁
        ? won -> somebody won
        """,
    ),
    (
        (team("São João"), team("Île-de-France")),
        """
        São João won -> São João
        SÃO JOÃO lost by 5 runs -> Île-de-France
        São João beat ÎLE-DE-FRANCE -> São João
        """,
    ),
    (
        (team("The Blues"), team("The Reds")),
        """
        The Blues beat The Reds -> The Blues
        The Reds won by 5 runs -> The Reds
        Reds won -> somebody won
        """,
    ),
    (
        (team("Lord's XI"), team("Blue Hill")),
        """
        Lord's XI won by 5 runs -> Lord's XI
        Lord’s XI won -> Lord's XI
        """,
    ),
    (
        (team("Red Valley"),),
        """
        Red Valley won -> Red Valley
        Red Valley lost -> somebody won
        Blue Hill won -> somebody won
        tied -> tie
        """,
    ),
    (
        (),
        """
        Red Valley won -> somebody won
        tied -> tie
        nothing -> none
        """,
    ),
    (
        (team("Red Valley"), team("Red Valleys")),
        """
        Red Valley won by 5 runs -> Red Valley
        Northfield CC - 1st XI - Won -> somebody won
        """,
    ),
    (
        (team("Northfield CC - 1st XI"), team("Southbank CC - 1st XI")),
        """
        Northfield CC - 1st XI - Won -> Northfield CC - 1st XI
        """,
    ),
    (
        (team("Northfield CC"), team("Southbank CC")),
        """
        Northfield CC - 1st XI - Won -> Northfield CC
        Northfield CC 1st XI beat Southbank CC 1st XI -> Northfield CC
        """,
    ),
    (
        (team("சென்னை"), team("மதுரை")),
        """
        சென்னை மதுரையை வீழ்த்தியது -> சென்னை
        சென்னை அணி வெற்றி -> சென்னை
        மதுரை அணி தோற்றது -> சென்னை
        மதுரையை வீழ்த்தி சென்னை வெற்றி -> somebody won
        """,
    ),
    (
        (team("Red"), team("Blue")),
        """
        Red won by 5 runs -> Red
        RED WON -> Red
        Blue lost -> Red
        """,
    ),
    (
        (team("Victory"), team("Blue Hill")),
        """
        Victory won by 5 runs -> Victory
        Victory for Blue Hill -> Blue Hill
        Victory lost to Blue Hill -> Blue Hill
        Blue Hill beat Victory -> Blue Hill
        """,
    ),
    (
        (team("India"), team("Pakistan")),
        """
        IND won by 5 runs -> India
        India beat Pakistan by 6 runs -> India
        PAK lost to IND -> India
        Ind won -> somebody won
        """,
    ),
    (
        (team("India"), team("India A", "INDA")),
        """
        India won -> India
        India A won -> India A
        India A beat India -> India A
        """,
    ),
    (
        (team("England"), team("England Women")),
        """
        England Women won by 5 runs -> England Women
        England won by 5 runs -> England
        England Women lost to England -> England
        """,
    ),
    (
        (team("Northfield"), team("Northfield Women")),
        """
        Northfield Women won -> Northfield Women
        Northfield won -> Northfield
        """,
    ),
    (
        (team("Allerton"), team("Red Valley")),
        """
        ALL won by 5 runs -> Allerton
        Red Valley 150 all out, ALL won -> Allerton
        RED VALLEY ALL OUT 150 -> none
        RED VALLEY WON BY 5 RUNS -> Red Valley
        """,
    ),
    (
        (team("The Lost"), team("Red Valley")),
        """
        Red Valley lost by 5 runs -> The Lost
        The Lost won by 5 runs -> The Lost
        The Lost lost -> Red Valley
        The Lost beat Red Valley -> The Lost
        """,
    ),
    (
        (team("Wonthaggi"), team("Beaten Track XI")),
        """
        Won by 5 runs -> somebody won
        Wonthaggi won -> Wonthaggi
        Beaten Track XI v Wonthaggi -> none
        Beaten Track XI won -> Beaten Track XI
        Wonthaggi beat Beaten Track XI -> Wonthaggi
        """,
    ),
    (
        (team("Red Valley"), team("Red Valley")),
        """
        Red Valley won -> somebody won
        Red Valley lost -> somebody won
        tie -> tie
        """,
    ),
    (
        (team("Red Valley", ""), team("", "")),
        """
        Red Valley won -> Red Valley
        """,
    ),
    (
        (team("中国"), team("日本")),
        """
        中国 won by 5 runs -> 中国
        日本 lost to 中国 -> 中国
        """,
    ),
    (
        (team("Żółć"), team("İstanbul")),
        """
        Żółć won -> Żółć
        ŻÓŁĆ lost -> İstanbul
        İSTANBUL WON -> İstanbul
        """,
    ),
]


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize(
    ("line", "sides"), [(line.strip(), sides) for sides, lines in OTHER_SIDES for line in lines.strip().splitlines()]
)
def test_a_side_is_found_whatever_its_name(line: str, sides: tuple[Team, ...], is_turned: bool) -> None:
    text, end = line.split(" -> ")
    assert outcome_of(text, sides[::-1] if is_turned else sides) == expected_of(end)


@pytest.mark.parametrize(
    "text",
    [
        *("won " * 2_500, "Red Valley and " * 700, "Red Valley the the " * 500, "lost to " * 1_200, "( " * 5_000),
        *("\u0301" * 10_000, "\ud800" * 10_000, "\u0130\u1e9e" * 5_000, "\0" * 10_000, "+#;<>" * 2_000, "<a> won"),
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_ten_thousand_odd_characters_are_no_win_of_a_side(text: str) -> None:
    assert outcome_of(text, (RED, BLUE)).winner is None


@given(st.text(), st.lists(st.builds(Team, st.text(max_size=20), st.text(max_size=6)), max_size=3))
def test_any_text_has_an_outcome_and_the_winner_is_a_side(text: str, sides: list[Team]) -> None:
    found = outcome_of(text, sides)
    assert found.kind in ("win", "tie", "none")
    assert found.winner is None or found.winner in [side.name for side in sides]


@pytest.mark.parametrize(
    ("name", "side", "expected"),
    [
        ("Red Valley", RED, True),
        ("RED  valley ", RED, True),
        ("RedValley", RED, True),
        ("RV", RED, True),
        ("rv", RED, True),
        ("Red Valley II", RED, False),
        ("Valley", RED, False),
        ("Data Not Found", RED, False),
        ("", RED, False),
        ("Sa\u0303o Joa\u0303o", team("São João"), True),
        ("Sao Joao", team("São João"), False),
        ("ලංකාව", team("ලංකාව"), True),
        ("🦁", team("🦁"), True),
        ("?", team("🦁"), False),
        ("", team("Red Valley", ""), False),
    ],
)
def test_a_side_is_the_same_however_it_is_written(name: str, side: Team, expected: bool) -> None:
    assert is_side(name, side) is expected
