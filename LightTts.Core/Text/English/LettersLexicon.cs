using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Capitals: spelt by letter, read as a word, or an ordinary word that is stressed.</summary>
internal static class LettersLexicon
{
    /// <summary>Spelt although they could be read as words, and spelt even where all is in capitals.</summary>
    public static readonly FrozenSet<string> Spelt = Table.Words("""
        AI API ATM BBC CEO CFO CIA CNN COO CPU CTO DIY DNA DVD EU FAQ FBI GPU HIV HR IBM ID IO IP IQ IRS LA MIT NBA NYC PE RSVP SOS SUV TTS TV UAE
        UFO UI UK US UN URL USA USB UV VIP AC AD BC BCE CE IOU IDE GUI
        EUR USD AWS UX ISO IEEE NHS MBA ESP ETA FYI ASMR OS EPA ESPN FDA CDC FCC SEC FTC DOJ DOE DOD NSA NIH NSF CT MRI EKG ECG ICU ER EMT SQL HTML
        CSS XML PDF PHP SDK IT UTC GMT EST EDT PST PDT CET IMF WTO WHO GDP GPA
        GPS LED LCD OLED HDMI SSD HDD HTTP HTTPS FTP SSH TCP UDP DNS VPN ACLU NAACP AOL BMW MTV HBO ABC CBS NBC PBS NPR UPS DHL KFC JFK MLK FDR LAX
        UCLA USC NYU UFC WWE NFL NHL MLB NCAA PGA UEFA FAA TSA IPO ROI CRM ERP
        SEO QA PR OKR KPI ATV RV EV AAA PTSD ADHD OCD IVF BMI UTI STD RNA MRNA PHD MD RN DDS CPA LLC LLP HOA IRA IEP ASAP AKA RIP DJ MC EP LP CD BLT
        PBJ MSG IPA OJ AOC GOP DNC RNC POTUS ISP ICE PTA SMS MMS IM DM
        DC BA MA BS MS AA AP IB AS GE GM HP AMD ARM TSMC SAP EY UBS RBC IKEA OECD OPEC ILO IAEA ICC ICJ UNHCR LGBT LGBTQ BLM IRL LOL OMG BRB TBD TBA
        EOD IDK
        """);

    /// <summary>Read as words.</summary>
    public static readonly FrozenSet<string> Words = Table.Words("""
        OK MAX MIN AVG ZIP TOM NASA NATO UNESCO UNICEF LASER RADAR SCUBA SONAR OPEC POTUS SCOTUS FLOTUS NAFTA AIDS SARS FEMA OSHA HIPAA ASCII NASDAQ
        SWAT DARPA JPEG GIF RAM ROM SIM PIN LAN WAN IKEA FIFA LEGO COVID EPCOT TED CAPTCHA SCRUM YAML JSON
        HMM SHH PSST BRRR PFFT TSK PSSST GRRR SHHH UGH MR MRS DR ST VAR BIOS REST SOAP CRUD MAC ASAP DAESH ISIS NIMBY YOLO FOMO MENSA BAFTA NEET
        GAAP TESLA UNIX LINUX BASIC COBOL FORTRAN LISP SPAM CAD MIDI NAND
        WASP TAPAS RICO DACA SNAP WIC OPEC MOMA SOHO PETA ANSI NIST CERN INTERPOL DOS SaaS CENTCOM LIDAR MODEM TASER TIFF WYSIWYG OLAP IMAX
        """);

    /// <summary>Ordinary words up to four letters; in capitals they are stressed, not spelt.</summary>
    public static readonly FrozenSet<string> Ordinary = Table.Words("""
        A AM AN AS AT BE BY DO GO HE HI IF IN IS IT ME MY NO OF OH ON OR OX SO TO UP US WE YE AH OW UH UM HA HO EH
        ACE ACT ADD AGE AGO AID AIM AIR ALE ALL AND ANT ANY APE ARC ARE ARK ARM ART ASH ASK ATE AWE AXE BAD BAG BAN BAR BAT BAY BED BEE BEG BET BIG
        BIN BIT BOW BOX BOY BUD BUG BUN BUS BUT BUY BYE CAB CAN CAP CAR CAT COP
        COW CRY CUB CUP CUT DAD DAM DAY DEN DEW DID DIE DIG DIM DIP DOG DOT DRY DUE DUG DYE EAR EAT EGG EGO ELF END EVE EYE FAN FAR FAT FED FEE FEW
        FIG FIN FIT FIX FLY FOE FOG FOR FOX FRY FUN FUR GAP GAS GEM GET GIN GOD
        GOT GUM GUN GUT GUY GYM HAD HAM HAS HAT HAY HEN HER HEY HID HIM HIP HIS HIT HOG HOP HOT HOW HUB HUG HUT ICE ILL INK INN ITS IVY JAM JAR JAW
        JET JOB JOG JOY KEY KID KIN KIT LAB LAD LAP LAW LAY LEG LET LID LIE LIP
        LIT LOG LOT LOW MAD MAN MAP MAT MAY MEN MET MIX MOB MOM MUD MUG NAP NET NEW NOD NOR NOT NOW NUT OAK ODD OFF OIL OLD ONE OUR OUT OWE OWL OWN
        PAD PAN PAT PAW PAY PEA PEN PET PIE PIG PIT POP POT PRO PUB PUT RAG RAN
        RAT RAW RAY RED RIB RID RIG RIM ROB ROD ROT ROW RUB RUG RUN SAD SAT SAW SAY SEA SEE SET SEW SEX SHE SHY SIN SIP SIR SIT SIX SKI SKY SLY SOB
        SON SPY SUM SUN TAG TAN TAP TAR TAX TEA TEN THE TIE TIN TIP TOE TON TOO
        TOP TOY TRY TUB TWO USE VAN VET VIA VOW WAR WAS WAX WAY WEB WED WET WHO WHY WIG WIN WIT WON WOW YES YET YOU ZIP ZOO HAH HUH AHA NAH YAY YEP
        NOPE BOO EWW MMM OOH
        """);

    /// <summary>Ordinary words that are spelt in a sentence of small letters only where this context shows it; none: stressed words.</summary>
    public static readonly FrozenSet<string> NotInCapitals =
        Table.Words("IT US WHO ICE SEC ARM AS AP ER IM AA MA BA LA AD AM PR ID AC BS MS SAP IRA IDE LED RIP");

    /// <summary>Written in mixed case, read by letter or otherwise.</summary>
    public static readonly FrozenDictionary<string, string> Mixed = Table.Pairs("""
        PhD=P H D|PhDs=P H Ds|Phd=P H D|pH=P H|mRNA=M R N A|tRNA=T R N A|rRNA=R R N A|siRNA=S I R N A|cDNA=C D N A|iOS=I O S|iPadOS=iPad O S
        macOS=mac O S|watchOS=watch O S|tvOS=T V O S|eSIM=E SIM|MSc=M S C|BSc=B S C|LLMs=L L Ms
        DoD=D O D|DoE=D O E|DoJ=D O J|MoD=M O D|HoA=H O A|IoT=I O T|ToS=T O S|EoD=E O D|VoIP=V O I P|WiFi=Wi-Fi|Wifi=Wi-Fi|wifi=Wi-Fi|dB=decibels
        kWh=kilowatt hours|GHz=gigahertz|MHz=megahertz|kHz=kilohertz|mAh=milliamp hours|SaaS=SaaS|PaaS=PaaS|LaTeX=LaTeX|MySQL=My S Q L
        PostgreSQL=Postgres Q L|NoSQL=No S Q L|SQLite=S Q Lite|jQuery=J Query|GitHub=GitHub|OpenAI=Open A I|ChatGPT=Chat G P T|AT&T=A T and T
        R&D=R and D|Q&A=Q and A|B&B=B and B|H&M=H and M|S&P=S and P|M&A=M and A|A&E=A and E|P&L=P and L|R&B=R and B|M&M=M and M|M&Ms=M and Ms
        P&G=P and G|M-F=Monday to Friday|M–F=Monday to Friday|IPv4=I P V four|IPv6=I P V six|YoY=year over year|QoQ=quarter over quarter
        mph=miles per hour|mpg=miles per gallon|D&D=D and D
        CO2=C O two|CO₂=C O two|H2O=H two O|H₂O=H two O|O2=O two|N2O=N two O|CH4=C H four|H2SO4=H two S O four|R2-D2=R two D two|C-3PO=C three P O
        WW1=World War One|WWI=World War One|WW2=World War Two|WWII=World War Two|C++=C plus plus|C#=C sharp|F#=F sharp|G#=G sharp|D#=D sharp
        A#=A sharp
        Notepad++=Notepad plus plus|g++=G plus plus|Disney+=Disney Plus|Google+=Google Plus
        """);
}
