using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Units of measure: symbol, singular and plural.</summary>
internal static class UnitLexicon
{
    /// <summary>Symbol to "singular/plural"; one name where both are the same.</summary>
    public static readonly FrozenDictionary<string, string> Units = Table.Pairs("""
        km=kilometer/kilometers|m=meter/meters|cm=centimeter/centimeters|mm=millimeter/millimeters|µm=micrometer/micrometers
        μm=micrometer/micrometers
        um=micrometer/micrometers|nm=nanometer/nanometers|dm=decimeter/decimeters|mi=mile/miles|ft=foot/feet|in.=inch/inches|inch=inch/inches
        yd=yard/yards
        yds=yard/yards|nmi=nautical mile/nautical miles|kg=kilogram/kilograms|kgs=kilogram/kilograms|g=gram/grams|mg=milligram/milligrams
        µg=microgram/micrograms
        μg=microgram/micrograms|mcg=microgram/micrograms|lb=pound/pounds|lbs=pound/pounds|oz=ounce/ounces|t=tonne/tonnes|l=liter/liters
        L=liter/liters|ml=milliliter/milliliters
        mL=milliliter/milliliters|cl=centiliter/centiliters|cL=centiliter/centiliters|dl=deciliter/deciliters|dL=deciliter/deciliters
        µL=microliter/microliters|hl=hectoliter/hectoliters
        gal=gallon/gallons|qt=quart/quarts|pt=pint/pints|tsp=teaspoon/teaspoons|Tsp=teaspoon/teaspoons|tsps=teaspoon/teaspoons
        tbsp=tablespoon/tablespoons|Tbsp=tablespoon/tablespoons
        tbsps=tablespoon/tablespoons|tbs=tablespoon/tablespoons|fl oz=fluid ounce/fluid ounces|fl. oz=fluid ounce/fluid ounces
        sq ft=square foot/square feet|sq. ft=square foot/square feet|sqft=square foot/square feet|sq m=square meter/square meters
        sq. m=square meter/square meters
        sq km=square kilometer/square kilometers|sq. km=square kilometer/square kilometers|sq mi=square mile/square miles
        sq. mi=square mile/square miles|sq in=square inch/square inches
        sq yd=square yard/square yards|cu ft=cubic foot/cubic feet|cu. ft=cubic foot/cubic feet|cu m=cubic meter/cubic meters|cc=C C/C Cs
        ha=hectare/hectares|ac=acre/acres
        m2=square meter/square meters|m3=cubic meter/cubic meters|km2=square kilometer/square kilometers|cm2=square centimeter/square centimeters
        cm3=cubic centimeter/cubic centimeters
        ft2=square foot/square feet|ft3=cubic foot/cubic feet
        s=second/seconds|sec=second/seconds|secs=second/seconds|ms=millisecond/milliseconds|µs=microsecond/microseconds|μs=microsecond/microseconds
        ns=nanosecond/nanoseconds
        min=minute/minutes|mins=minute/minutes|h=hour/hours|hr=hour/hours|hrs=hour/hours|wk=week/weeks|wks=week/weeks|mo=month/months
        mos=month/months|yr=year/years|yrs=year/years
        mph=mile per hour/miles per hour|kph=kilometer per hour/kilometers per hour|kmh=kilometer per hour/kilometers per hour
        km/hr=kilometer per hour/kilometers per hour
        mpg=mile per gallon/miles per gallon|bpm=beat per minute/beats per minute|rpm=revolution per minute/revolutions per minute
        RPM=revolution per minute/revolutions per minute
        fps=frame per second/frames per second|psi=pound per square inch/pounds per square inch|ppm=part per million/parts per million
        ppb=part per billion/parts per billion
        wpm=word per minute/words per minute|kn=knot/knots|kt=knot/knots|kts=knot/knots|px=pixel/pixels|dpi=dot per inch/dots per inch
        ppi=pixel per inch/pixels per inch
        Hz=hertz|kHz=kilohertz|KHz=kilohertz|MHz=megahertz|GHz=gigahertz|THz=terahertz
        B=byte/bytes|KB=kilobyte/kilobytes|kB=kilobyte/kilobytes|MB=megabyte/megabytes|GB=gigabyte/gigabytes|TB=terabyte/terabytes
        PB=petabyte/petabytes|KiB=kibibyte/kibibytes
        MiB=mebibyte/mebibytes|GiB=gibibyte/gibibytes|TiB=tebibyte/tebibytes|kb=kilobyte/kilobytes|Kb=kilobit/kilobits|Mb=megabit/megabits
        Gb=gigabit/gigabits
        bps=bit per second/bits per second|kbps=kilobit per second/kilobits per second|Kbps=kilobit per second/kilobits per second
        Mbps=megabit per second/megabits per second
        Mbit=megabit/megabits|kbit=kilobit/kilobits|Gbit=gigabit/gigabits|Gbps=gigabit per second/gigabits per second
        MBps=megabyte per second/megabytes per second
        W=watt/watts|kW=kilowatt/kilowatts|KW=kilowatt/kilowatts|MW=megawatt/megawatts|GW=gigawatt/gigawatts|mW=milliwatt/milliwatts
        Wh=watt hour/watt hours
        kWh=kilowatt hour/kilowatt hours|KWh=kilowatt hour/kilowatt hours|MWh=megawatt hour/megawatt hours|GWh=gigawatt hour/gigawatt hours
        hp=horsepower|HP=horsepower|bhp=brake horsepower
        V=volt/volts|kV=kilovolt/kilovolts|mV=millivolt/millivolts|A=amp/amps|mA=milliamp/milliamps|mAh=milliamp hour/milliamp hours
        Ah=amp hour/amp hours|Ω=ohm/ohms|Ω=ohm/ohms
        kΩ=kilohm/kilohms|kΩ=kilohm/kilohms|MΩ=megohm/megohms|µF=microfarad/microfarads|nF=nanofarad/nanofarads|pF=picofarad/picofarads
        dB=decibel/decibels|dBA=decibel/decibels|dBm=D B M|yo=year old|IU=international unit/international units
        J=joule/joules|kJ=kilojoule/kilojoules|MJ=megajoule/megajoules|cal=calorie/calories|kcal=kilocalorie/kilocalories|N=newton/newtons
        kN=kilonewton/kilonewtons|Nm=newton meter/newton meters
        N·m=newton meter/newton meters|N⋅m=newton meter/newton meters|Pa·s=pascal second/pascal seconds|kW·h=kilowatt hour/kilowatt hours
        kW⋅h=kilowatt hour/kilowatt hours|A·h=amp hour/amp hours
        Pa=pascal/pascals|hPa=hectopascal/hectopascals|kPa=kilopascal/kilopascals|MPa=megapascal/megapascals|atm=atmosphere/atmospheres
        mbar=millibar/millibars|mmHg=millimeter of mercury/millimeters of mercury
        mol=mole/moles|mmol=millimole/millimoles|mSv=millisievert/millisieverts|eV=electron volt/electron volts
        keV=kiloelectron volt/kiloelectron volts|MeV=megaelectron volt/megaelectron volts|lm=lumen/lumens|lx=lux
        °C=degree Celsius/degrees Celsius|°F=degree Fahrenheit/degrees Fahrenheit|° C=degree Celsius/degrees Celsius
        ° F=degree Fahrenheit/degrees Fahrenheit|℃=degree Celsius/degrees Celsius
        ℉=degree Fahrenheit/degrees Fahrenheit|°=degree/degrees|ºC=degree Celsius/degrees Celsius|ºF=degree Fahrenheit/degrees Fahrenheit
        MP=megapixel/megapixels|Mpx=megapixel/megapixels|pct=percent|pts=point/points|reb=rebound/rebounds|ast=assist/assists
        deg=degree/degrees|deg C=degree Celsius/degrees Celsius|deg. C=degree Celsius/degrees Celsius|deg F=degree Fahrenheit/degrees Fahrenheit
        deg. F=degree Fahrenheit/degrees Fahrenheit
        """);

    /// <summary>Longest symbol, in UTF-16 code units.</summary>
    public const int MaxLength = 6;

    /// <summary>Symbols that are words or letters as often as units: only where they touch the number or stand before a noun.</summary>
    public static readonly FrozenSet<string> NeedTouch = Table.Words("A B N mo ac pt");

    /// <summary>After "/" without a number before: "km/h" in running text.</summary>
    public static readonly FrozenSet<string> Tops =
        Table.Words("km mi m mg g µg μg mcg kg lb kWh Wh MB GB KB kB Mb Gb cm mm ft L mL ml W kW J kJ N mol mmol gal rad kcal");

    /// <summary>What stands below "/" there.</summary>
    public static readonly FrozenSet<string> Bottoms = Table.Words("h hr s sec min L l mL ml dL dl kg m cm day gal lb K mol km ft mi ha");

    /// <summary>The name of a unit.</summary>
    public static string Name(string entry, bool plural)
    {
        var slash = entry.IndexOf('/');
        return slash < 0 ? entry : plural ? entry[(slash + 1)..] : entry[..slash];
    }
}
