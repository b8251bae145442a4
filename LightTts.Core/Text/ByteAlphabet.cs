namespace LightTts.Text;

/// <summary>GPT-2's alphabet: a visible character for each byte, which is how byte-level vocabularies write bytes.</summary>
internal static class ByteAlphabet
{
    private static readonly Dictionary<char, byte> s_bytes = [];

    static ByteAlphabet()
    {
        var letters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            // Bytes that are visible in Latin-1 stand for themselves, the others get the code points from 256 on.
            letters[value] = (char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? value : next++);
            s_bytes[letters[value]] = (byte)value;
        }
        Letters = letters;
    }

    /// <summary>The character of each byte.</summary>
    public static IReadOnlyList<char> Letters { get; }

    /// <summary>Adds the bytes that a token stands for; characters outside the alphabet are left out.</summary>
    public static void Decode(string token, List<byte> into)
    {
        foreach (var letter in token)
            if (s_bytes.TryGetValue(letter, out var value))
                into.Add(value);
    }
}
