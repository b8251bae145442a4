using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Names of months and weekdays.</summary>
internal static class DateLexicon
{
    public static readonly string[] Months =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    public static readonly FrozenDictionary<string, string> MonthNames = Table.Pairs("""
        Jan=January|Feb=February|Mar=March|Apr=April|Jun=June|Jul=July|Aug=August|Sep=September|Sept=September|Oct=October|Nov=November|Dec=December
        January=January|February=February|March=March|April=April|May=May|June=June|July=July|August=August|September=September|October=October
        November=November|December=December
        JAN=January|FEB=February|MAR=March|APR=April|JUN=June|JUL=July|AUG=August|SEP=September|SEPT=September|OCT=October|NOV=November|DEC=December
        """);

    public static readonly FrozenDictionary<string, string> Weekdays = Table.Pairs("""
        Mon=Monday|Tue=Tuesday|Tues=Tuesday|Wed=Wednesday|Weds=Wednesday|Thu=Thursday|Thur=Thursday|Thurs=Thursday|Fri=Friday|Sat=Saturday
        Sun=Sunday
        Monday=Monday|Tuesday=Tuesday|Wednesday=Wednesday|Thursday=Thursday|Friday=Friday|Saturday=Saturday|Sunday=Sunday
        """);

    /// <summary>Names of people or words as often as dates: only with a stop, a number or in a range.</summary>
    public static readonly FrozenSet<string> Ambiguous =
        Table.Words("Jan Mar Jun Jul Apr Mon Sat Sun May March August DEC MAR JAN SEP NOV OCT FEB AUG APR JUN JUL SEPT");

    /// <summary>After one of these a number of four figures is a year.</summary>
    public static readonly FrozenSet<string> BeforeYear = Table.Words("""
        in since until till by year before after circa during early late mid spring summer autumn fall winter from between around class of January
        February March April May June July August
        September October November December ad A.D. ca c
        """, StringComparer.OrdinalIgnoreCase);

    /// <summary>Time zones.</summary>
    public static readonly FrozenSet<string> Zones = Table.Words("EST EDT CST CDT MST MDT PST PDT ET PT CT MT GMT UTC BST CET CEST JST IST AEST");
}
