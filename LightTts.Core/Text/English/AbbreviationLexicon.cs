using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Abbreviations and what they stand for.</summary>
internal static class AbbreviationLexicon
{
    /// <summary>Titles, with a stop, before a name.</summary>
    public static readonly FrozenDictionary<string, string> Titles = Table.Pairs("""
        Mr=Mister|Mrs=Missus|Ms=Miz|Dr=Doctor|Drs=Doctors|Prof=Professor|Rev=Reverend|Hon=Honorable|Gen=General|Col=Colonel|Maj=Major|Capt=Captain
        Cpt=Captain|Cdr=Commander|Cmdr=Commander
        Adm=Admiral|Lt=Lieutenant|Sgt=Sergeant|Cpl=Corporal|Pvt=Private|Gov=Governor|Sen=Senator|Rep=Representative|Pres=President
        Supt=Superintendent|Insp=Inspector|Det=Detective|Fr=Father|Br=Brother|Sr=Sister
        Messrs=Messieurs|Mme=Madame|Mlle=Mademoiselle|Mt=Mount|Ft=Fort|St=Saint|Ste=Sainte|Atty=Attorney|Amb=Ambassador|Brig=Brigadier|Hr=Herr
        Pt=Point
        """);

    /// <summary>Titles that may stand without a stop.</summary>
    public static readonly FrozenDictionary<string, string> BareTitles =
        Table.Pairs("Mr=Mister|Mrs=Missus|Ms=Miz|Dr=Doctor|Prof=Professor|Sgt=Sergeant|Lt=Lieutenant|Capt=Captain|Cpl=Corporal|Mt=Mount|St=Saint");

    /// <summary>Streets, after a name.</summary>
    public static readonly FrozenDictionary<string, string> Streets = Table.Pairs("""
        St=Street|Dr=Drive|Ave=Avenue|Av=Avenue|Blvd=Boulevard|Rd=Road|Ln=Lane|Ct=Court|Pl=Place|Sq=Square|Hwy=Highway|Pkwy=Parkway|Ter=Terrace
        Terr=Terrace|Cir=Circle|Cres=Crescent|Expy=Expressway|Fwy=Freeway
        """);

    /// <summary>Words that name a street, written out.</summary>
    public static readonly FrozenSet<string> StreetWords = Table.Words("""
        St Street Dr Drive Ave Avenue Av Blvd Boulevard Rd Road Ln Lane Ct Court Pl Place Sq Square Hwy Highway Pkwy Parkway Ter Terrace Way Circle
        Cir Row Crescent Close Alley Broadway Plaza Trail Mews Gardens
        """);

    /// <summary>With a stop, wherever they stand.</summary>
    public static readonly FrozenDictionary<string, string> Dotted = Table.Pairs("""
        Jr=Junior|Snr=Senior|Esq=Esquire|Ave=Avenue|Blvd=Boulevard|Rd=Road|Hwy=Highway|Pkwy=Parkway|Ln=Lane|Inc=Incorporated|Ltd=Limited|Co=Company
        Corp=Corporation|Bros=Brothers|Dept=Department|dept=department
        Assn=Association|Assoc=Association|Univ=University|Inst=Institute|Intl=International|Natl=National|Mfg=Manufacturing|Mgr=Manager|mgr=manager
        Mgmt=Management|Govt=Government|govt=government
        etc=et cetera|Etc=et cetera|vs=versus|Vs=Versus|approx=approximately|Approx=Approximately|appt=appointment|Appt=Appointment
        misc=miscellaneous|Misc=Miscellaneous|max=maximum|Max=Maximum|min=minimum|Min=Minimum
        avg=average|Avg=Average|tel=telephone|Tel=Telephone|ext=extension|Ext=Extension|Apt=Apartment|apt=apartment|Ste=Suite|Bldg=Building
        bldg=building|Flr=Floor|Rm=Room|Qtr=Quarter|qtr=quarter|Yr=Year|yr=year|yrs=years
        hr=hour|hrs=hours|mins=minutes|secs=seconds|wk=week|wks=weeks|mo=month|mos=months|Fig=Figure|fig=figure|figs=figures|Vol=Volume|vol=volume
        vols=volumes|Mts=Mountains|Chap=Chapter|chap=chapter|Sec=Section|sec=second|pp=pages|ed=edition|eds=editors
        Eq=Equation|eq=equation|Ref=Reference|ref=reference|refs=references|cf=compare|viz=namely|ca=circa|incl=including|excl=excluding
        esp=especially|temp=temperature|Temp=Temperature|Attn=Attention|attn=attention
        Acct=Account|acct=account|amt=amount|Amt=Amount|qty=quantity|Qty=Quantity|pkg=package|pt=part|Pt=Part|pts=points|Ref=Reference
        Rep=Representative|Pres=President|Cir=Circle|Sq=Square|Est=Established|est=estimated|dist=district|Dist=District
        Dir=Director|Exec=Executive|Asst=Assistant|asst=assistant|Tech=Technology|Nos=Numbers|nos=numbers|oz=ounces|lb=pounds|lbs=pounds|ft=feet
        Wt=Weight|wt=weight|Ht=Height|ht=height|Vit=Vitamin|vit=vitamin|tsp=teaspoon|tbsp=tablespoon|pls=please|Pls=Please|thx=thanks|Thx=Thanks
        reb=rebounds|ast=assists|mi=miles|yd=yards|km=kilometers
        kg=kilograms|cm=centimeters
        """);

    /// <summary>Written with stops between.</summary>
    public static readonly FrozenDictionary<string, string> Latin = Table.Pairs("""
        e.g=for example|E.g=For example|i.e=that is|I.e=That is|a.k.a=also known as|A.K.A=also known as|et al=et al|Ph.D=P H D|Ph.Ds=P H Ds
        Ed.D=E D D|M.Sc=M S C|B.Sc=B S C|LL.B=L L B|LL.M=L L M|Psy.D=P S Y D|Litt.D=Litt D|p.m=P M|a.m=A M|P.M=P M|A.M=A M|p.s=P S|p.a=per annum
        """);

    /// <summary>Before a number only.</summary>
    public static readonly FrozenDictionary<string, string> BeforeNumber = Table.Pairs("""
        No=Number|no=number|NO=number|Nos=Numbers|nos=numbers|Nr=Number|nr=number|p=page|pp=pages|P=Page|pg=page|Pg=Page|Fig=Figure|fig=figure
        figs=figures|Figs=Figures|Vol=Volume|vol=volume|ch=chapter|Ch=Chapter|chap=chapter
        Chap=Chapter|sec=section|Sec=Section|Eq=Equation|eq=equation|ca=circa|c=circa|Art=Article|art=article|par=paragraph|para=paragraph|Pt=Part
        pt=part|vers=version|ver=version|Ver=Version|v=version|Apt=Apartment|Ste=Suite|Bk=Book|Sched=Schedule|ext=extension|Ext=Extension
        tel=telephone|Tel=Telephone|Rm=Room|Op=Opus|op=opus
        lat=latitude|Lat=Latitude|lon=longitude|Lon=Longitude
        Rte=Route|rte=route|Dep=Departs|dep=departs|Arr=Arrives|arr=arrives|Plat=Platform|plat=platform
        """);

    /// <summary>With a slash.</summary>
    public static readonly FrozenDictionary<string, string> Slashed = Table.Pairs("""
        AM/FM=A M F M|w/o=without|W/o=Without|w/out=without|W/out=Without
        w/=with|W/=With|b/c=because|c/o=care of|n/a=N A|N/A=N A|b/w=between|w/in=within|s/he=she or he|a/c=A C
        A/C=A C
        h/w=hardware|s/w=software|p/w=password|y/n=yes or no|y/o=year old|Y/N=yes or no|c/w=complete with|R/C=R C|km/hr=kilometers per hour
        and/or=and or|And/or=And or|And/Or=And or|AND/OR=and or|either/or=either or|yes/no=yes or no|Yes/No=Yes or no|min/max=minimum maximum
        Min/Max=Minimum maximum|max/min=maximum minimum
        """);

    /// <summary>Written so in letters to friends.</summary>
    public static readonly FrozenDictionary<string, string> Casual =
        Table.Pairs("pls=please|Pls=Please|thx=thanks|Thx=Thanks|gov't=government|Gov't=Government|int'l=international|nat'l=national|"
            + "attn=attention|Attn=Attention");

    /// <summary>Before a Roman numeral too.</summary>
    public static readonly FrozenSet<string> BeforeNumeral = Table.Words("Art art Vol vol Ch ch Chap chap Sec sec Bk Pt pt Fig fig");

    /// <summary>What somebody senior may be.</summary>
    public static readonly FrozenSet<string> Posts =
        Table.Words("VP SVP Vice Manager Director Engineer Developer Analyst Editor Software Product Project Partner Associate Consultant Counsel");

    /// <summary>Words that often start a sentence.</summary>
    public static readonly FrozenSet<string> SentenceStarts = Table.Words("""
        The This That These Those It He She We They I You In On At But And So A An His Her Its Our My Your What When Where Why How Who There If As
        For After Then Now Not No Yes Is Are Was Do Did Can Please
        Let Let's It's I'm He's She's They're We're Some Many Most All One Two However Meanwhile Later Today Yesterday Tomorrow Call See Go Come Our
        Their Nobody Everyone Another Each Both With From By To Or While Since Once
        """);

    /// <summary>Something always follows these, so their stop ends no sentence.</summary>
    public static readonly FrozenSet<string> NeverLast = Table.Words("""
        Mr Mrs Ms Dr Prof Rev Hon Gen Col Maj Capt Lt Sgt Cpl Gov Sen Pres Mt Ft Messrs Mme vs e.g i.e cf Fig fig Vol vol ch Ch sec Sec ca Eq approx
        Nr St Adm Cdr Cmdr Pvt Supt Insp Det viz incl esp Attn attn
        """);

    /// <summary>Before a figure these are abbreviations whose stop ends no sentence.</summary>
    public static readonly FrozenSet<string> NotLastBeforeFigure = Table.Words("""
        No no Nos nos p pp c pg ft in lb lbs oz yd hr hrs min mins sec yr yrs mo wk tel Tel ext Ext Apt apt Ste Rm Chap chap Art art par para Op op
        Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec ver Ver max min avg est Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun Qtr qtr Pt pt
        """);
}
