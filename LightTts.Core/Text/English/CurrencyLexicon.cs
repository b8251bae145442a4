using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Currencies: sign or code, "unit/units/coin/coins".</summary>
internal static class CurrencyLexicon
{
    public static readonly FrozenDictionary<string, string> Currencies = Table.Pairs("""
        $=dollar/dollars/cent/cents|US$=U S dollar/U S dollars/cent/cents|USD=dollar/dollars/cent/cents
        C$=Canadian dollar/Canadian dollars/cent/cents
        CA$=Canadian dollar/Canadian dollars/cent/cents|CAD=Canadian dollar/Canadian dollars/cent/cents
        CDN$=Canadian dollar/Canadian dollars/cent/cents
        A$=Australian dollar/Australian dollars/cent/cents|AU$=Australian dollar/Australian dollars/cent/cents
        AUD=Australian dollar/Australian dollars/cent/cents
        NZ$=New Zealand dollar/New Zealand dollars/cent/cents|NZD=New Zealand dollar/New Zealand dollars/cent/cents
        HK$=Hong Kong dollar/Hong Kong dollars/cent/cents
        HKD=Hong Kong dollar/Hong Kong dollars/cent/cents|S$=Singapore dollar/Singapore dollars/cent/cents
        SGD=Singapore dollar/Singapore dollars/cent/cents
        NT$=New Taiwan dollar/New Taiwan dollars/cent/cents|R$=real/reais/centavo/centavos|BRL=real/reais/centavo/centavos
        MX$=Mexican peso/Mexican pesos/centavo/centavos
        €=euro/euros/cent/cents|EUR=euro/euros/cent/cents|£=pound/pounds/penny/pence|GBP=pound/pounds/penny/pence|¥=yen/yen//|JPY=yen/yen//
        CNY=yuan/yuan//|RMB=yuan/yuan//
        CN¥=yuan/yuan//|₹=rupee/rupees/paisa/paise|INR=rupee/rupees/paisa/paise|Rs=rupee/rupees/paisa/paise|₩=won/won//|KRW=won/won//
        ₽=ruble/rubles/kopek/kopeks|RUB=ruble/rubles/kopek/kopeks
        ₺=lira/lira/kuruş/kuruş|TRY=lira/lira/kuruş/kuruş|₪=shekel/shekels/agora/agorot|ILS=shekel/shekels/agora/agorot
        ₴=hryvnia/hryvnias/kopiyka/kopiykas|UAH=hryvnia/hryvnias/kopiyka/kopiykas
        ₦=naira/naira/kobo/kobo|₱=peso/pesos/centavo/centavos|PHP=peso/pesos/centavo/centavos|₫=dong/dong//|฿=baht/baht/satang/satang
        THB=baht/baht/satang/satang|₿=bitcoin/bitcoins//|BTC=bitcoin/bitcoins//
        CHF=Swiss franc/Swiss francs/centime/centimes|SEK=Swedish krona/Swedish kronor/öre/öre|NOK=Norwegian krone/Norwegian kroner/øre/øre
        DKK=Danish krone/Danish kroner/øre/øre
        PLN=zloty/zlotys/grosz/groszy|CZK=Czech koruna/Czech koruny/haler/halers|MXN=Mexican peso/Mexican pesos/centavo/centavos
        ZAR=rand/rand/cent/cents|AED=dirham/dirhams/fils/fils
        zł=zloty/zlotys/grosz/groszy|kr=krone/kroner/øre/øre
        """);

    /// <summary>Short forms of large numbers after money.</summary>
    public static readonly FrozenDictionary<string, string> Scales = Table.Pairs("""
        k=thousand|K=thousand|m=million|M=million|mn=million|mm=million|MM=million|mil=million|mio=million|b=billion|B=billion|bn=billion|Bn=billion
        BN=billion|t=trillion|T=trillion|tn=trillion|trn=trillion
        hundred=hundred|thousand=thousand|million=million|billion=billion|trillion=trillion|quadrillion=quadrillion|grand=grand|lakh=lakh
        crore=crore|dozen=dozen
        Thousand=Thousand|Million=Million|Billion=Billion|Trillion=Trillion
        """);
}
