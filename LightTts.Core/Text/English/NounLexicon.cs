using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Words by which an amount is known to stand before a noun ("a 5 km run") or not ("5 km away").</summary>
internal static class NounLexicon
{
    /// <summary>Nouns that commonly follow an amount.</summary>
    public static readonly FrozenSet<string> AfterAmount = Table.Words("""
        ruler shirt dress coat fund ad ads commercial campaign question test exam talk speech essay bill note coin fine fee fare ticket deal project
        budget investment loan
        grant prize reward jackpot bonus deposit donation raise discount coupon voucher contract drive disk stick card laptop phone tablet file
        download chip module upload
        run dash race walk hike ride swim trip drive journey sprint marathon radius stretch limit zone speed pole ladder rope fence wall tree boat
        board plank tall deep mile battery supply adapter charger outlet bulb lamp heater
        motor engine amplifier speaker radio signal screen monitor display tv television panel lens camera sensor cable pipe tube tire wheel pan bag
        box bottle can jar tank bucket steak burger turkey baby dog fish bar weight dumbbell kettlebell
        break delay drive flight call meeting session video clip song film movie course wait warning timer interval period sentence term lease plan
        window shift day gap gun bullet round vest dose pill tablet injection
        pistol rifle shell cannon socket wrench bolt
        nail service angle turn rotation memory ram ssd hdd vram cache partition connection link line network port server microwave oven fridge
        house apartment room plot lot farm
        garden estate office stake share increase decrease cut rise drop decline growth majority tax tip bid sale mortgage bond debt
        """);

    /// <summary>After these, with only adjectives between, an amount with a word behind it stands before a noun.</summary>
    public static readonly FrozenSet<string> Determiners =
        Table.Words("a an another one each every A An Another Each Every the The this that This That my his her its our their your My His Her Our "
        + "Their Your");

    /// <summary>No nouns: what follows an amount that stands for itself.</summary>
    public static readonly FrozenSet<string> NotNouns = Table.Words("""
        a an the this that these those my your his her its our their and or but nor so yet if as than then when while where because though although
        since until unless whether
        of in on at by for to from with without within into onto over under above below between among through during before after about around
        against along across behind beyond near off out up down per via
        is are was were be been being am has have had do does did will would can could shall should may might must
        not no yes more less fewer too also just only even still already again once twice ago away apart back later earlier early late now today
        tomorrow yesterday tonight soon here there each every all both few many much most some any
        he she it we they i you him them us me who which what whose how why wide long high tall deep thick heavy old north south east west left
        right
        went goes go came come cost costs make makes made take takes took get gets got give gives gave say says said seem seems became become
        becomes remain remains ran run-off worth total max maximum minimum average daily weekly monthly yearly annually
        plus minus times equals equal versus or-so short tops instead altogether overall online free cheaper faster slower better worse
        """);
}
