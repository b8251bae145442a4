using System.Buffers;

namespace LightTts.Timbres;

/// <summary>What a voice may be called. Names never become paths, yet nothing that could be one (or pass for an identity) is let in.</summary>
internal static class TimbreName
{
    public const int MaxLength = 64;

    private static readonly SearchValues<char> Punctuation = SearchValues.Create("._-");

    /// <exception cref="TtsRequestException">The name cannot be used.</exception>
    public static void Validate(string name)
    {
        if (name.Length is 0 or > MaxLength)
            throw new TtsRequestException($"A voice's name has 1 to {MaxLength} characters; this one has {name.Length}.");
        if (!IsValid(name))
            throw new TtsRequestException("A voice's name consists of letters, digits, '.', '_' and '-', does not start with '.' and does not look "
            + "like an identity (64 hexadecimal digits).");
    }

    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxLength || name[0] == '.')
            return false;
        foreach (var c in name)
            if (!char.IsLetterOrDigit(c) && !Punctuation.Contains(c))
                return false;
        return !(name.Length == 2 * TimbreKey.Bytes && TimbreKey.TryParse(name, out _));
    }
}
