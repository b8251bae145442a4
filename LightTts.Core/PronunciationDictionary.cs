using System.Collections.Concurrent;
using System.Text;
using LightTts.Text;

namespace LightTts;

/// <summary>How words are to be pronounced: each with a spelling that is spoken in its place.</summary>
/// <remarks>
/// <para>An entry whose word has no capitals stands for the word however it is written;
/// one with capitals only for itself: <c>polish = pollish</c> and
/// <c>Polish = Poalish</c> can stand side by side. Only whole words are replaced; a word
/// may have blanks, signs and digits (<c>New York</c>, <c>C++</c>, <c>GPT-4</c>), and where
/// several entries begin at one place the longest wins. Replacing comes before normalisation,
/// and the spelling is spoken as it is written: <c>SQL = sequel</c>, or with tags
/// that the model knows, such as phonemes: <c>read = [R][EH1][D]</c>.</para>
/// <para>A file has an entry a line, <c>word = spelling</c>, or both with a tabulator
/// between; empty lines, and lines that start with #, do not count. It is UTF-8.</para>
/// <para>Safe to use from any thread; a word that is added reaches requests that start afterwards, and perhaps the rest of those that run.</para>
/// </remarks>
/// <example><code>
/// var names = PronunciationDictionary.Parse("Nguyen = Win\nSQL = sequel");
/// await using var pipeline = await TtsPipeline.LoadAsync(new TtsPipelineOptions { Pronunciations = names });
/// </code></example>
public sealed class PronunciationDictionary
{
    /// <summary>The most characters that a word may have.</summary>
    public const int MaxWordLength = 64;

    /// <summary>The most characters that a spelling may have.</summary>
    public const int MaxSpellingLength = 256;

    /// <summary>The most entries that a dictionary may have.</summary>
    public const int MaxEntries = 100_000;

    private const int MaxFileLength = 32 << 20;

    private readonly ConcurrentDictionary<string, string> _exact = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _anyCase = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, byte> _inner = new(StringComparer.OrdinalIgnoreCase); // words that another may follow in an entry
    // of the entries that begin with a character, in its upper case; longest first
    private readonly ConcurrentDictionary<char, int[]> _lengths = new();
    private volatile int _longestUnspaced;

    /// <summary>How many entries there are.</summary>
    public int Count => _exact.Count + _anyCase.Count;

    /// <summary>The longest entry that starts with a Chinese character or kana, which no
    /// blank separates from what is before it; 0: there is none.</summary>
    internal int LongestUnspaced => _longestUnspaced;

    /// <summary>Adds an entry, or replaces the one for the same word.</summary>
    /// <param name="word">The word, 1 to 64 characters, with a letter or digit in it.</param>
    /// <param name="spelling">What is spoken in its place, 1 to 256 characters.</param>
    /// <exception cref="ArgumentException">One of the two is empty or too long, or the word has nothing to match; the message says which.</exception>
    /// <exception cref="InvalidOperationException">The dictionary is full.</exception>
    public void Add(string word, string spelling)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(spelling);
        word = Plain(word);
        spelling = Plain(spelling);
        if (word.Length is 0 or > MaxWordLength || !word.Any(char.IsLetterOrDigit))
            throw new ArgumentException($"A word has 1 to {MaxWordLength} characters, and a letter or digit among them; this one has {word.Length}.",
            nameof(word));
        if (spelling.Length is 0 or > MaxSpellingLength)
            throw new ArgumentException($"A spelling has 1 to {MaxSpellingLength} characters; that of '{word}' has {spelling.Length}.",
            nameof(spelling));
        if (Count >= MaxEntries)
            throw new InvalidOperationException($"A dictionary of pronunciations has at most {MaxEntries:N0} entries.");
        // The index first: a reader that knows the length and does not find the word yet
        // is right, one that does not know the length would miss it for ever.
        _lengths.AddOrUpdate(char.ToUpperInvariant(word[0]), _ => [word.Length],
            (_, old) => old.Contains(word.Length) ? old : [.. old.Append(word.Length).OrderDescending()]);
        if (word[0] >= '\u2e80' && word.Length > _longestUnspaced)
            _longestUnspaced = word.Length;
        var words = word.Split(' ');
        foreach (var inner in words.AsSpan(0, words.Length - 1))
            _inner.TryAdd(inner, 0);
        (word.Any(char.IsUpper) ? _exact : _anyCase)[word] = spelling;
    }

    /// <summary>Reads a dictionary from text.</summary>
    /// <param name="text">Lines of <c>word = spelling</c>.</param>
    /// <exception cref="FormatException">A line is not an entry; the message gives its number and what is expected.</exception>
    public static PronunciationDictionary Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        using var reader = new StringReader(text);
        return Read(reader, "");
    }

    /// <summary>Reads a dictionary from a file.</summary>
    /// <param name="path">The file, UTF-8.</param>
    /// <exception cref="FormatException">A line is not an entry, or the file is not text;
    /// the message gives the line's number and what is expected.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static PronunciationDictionary Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = File.OpenRead(path);
        return Load(file, path + ", ");
    }

    /// <summary>Reads a dictionary from a stream.</summary>
    /// <param name="stream">UTF-8 text; it is read to its end and left open.</param>
    /// <exception cref="FormatException">A line is not an entry, or the stream is not
    /// text; the message gives the line's number and what is expected.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static PronunciationDictionary Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Load(stream, "");
    }

    /// <summary>Whether another word of an entry may follow this one after a blank.</summary>
    internal bool MayGoOn(ReadOnlySpan<char> word) => _inner.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(word);

    /// <summary>Finds the longest entry at the start of a text; whether it is a whole word is the caller's to say.</summary>
    /// <param name="text">Text in form C with U+0020 for its blanks.</param>
    /// <param name="isWhole">Told a length, says whether words end there.</param>
    /// <param name="spelling">The entry's spelling.</param>
    /// <returns>The entry's length; 0 where none fits.</returns>
    internal int Find(ReadOnlySpan<char> text, Func<int, bool> isWhole, out string spelling)
    {
        spelling = "";
        if (!_lengths.TryGetValue(char.ToUpperInvariant(text[0]), out var lengths))
            return 0;
        var exact = _exact.GetAlternateLookup<ReadOnlySpan<char>>();
        var anyCase = _anyCase.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var length in lengths)
            if (length <= text.Length && (exact.TryGetValue(text[..length], out spelling!) || anyCase.TryGetValue(text[..length], out spelling!))
            && isWhole(length))
                return length;
        spelling = "";
        return 0;
    }

    private static PronunciationDictionary Load(Stream stream, string name)
    {
        try
        {
            using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), leaveOpen: true);
            return Read(reader, name);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException($"{name}the text is not UTF-8. Save the dictionary as UTF-8 text.", e);
        }
    }

    private static PronunciationDictionary Read(TextReader reader, string name)
    {
        var dictionary = new PronunciationDictionary();
        var length = 0;
        for (var number = 1; ReadLine(reader, $"{name}line {number}") is { } line; number++)
        {
            if ((length += line.Length) > MaxFileLength)
                throw new FormatException($"{name}line {number}: the dictionary is larger than {MaxFileLength >> 20} MB.");
            if (line.AsSpan().Trim() is not [not '#', ..])
                continue;
            var tab = line.IndexOf('\t');
            var at = tab > 0 && line.AsSpan(0, tab).ContainsAnyExcept(' ') ? tab : line.IndexOf('=', StringComparison.Ordinal);
            if (at < 0)
                throw new FormatException($"{name}line {number} is not an entry: write 'word = spelling', or the two with a tabulator between.");
            try
            {
                dictionary.Add(line[..at], line[(at + 1)..]);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                var message = e is ArgumentException { ParamName: { } parameter }
                    ? e.Message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal)
                    : e.Message;
                throw new FormatException($"{name}line {number}: {message}", e);
            }
        }
        return dictionary;
    }

    /// <summary>The next line; one that no entry could need ends the reading before it fills the memory.</summary>
    private static string? ReadLine(TextReader reader, string place)
    {
        const int longest = 4096;
        StringBuilder? line = null;
        for (int c; (c = reader.Read()) >= 0;)
        {
            line ??= new StringBuilder();
            if (c == '\n')
                break;
            if (line.Length == longest)
                throw new FormatException($"{place} is longer than {longest:N0} characters, so it is not an entry: write 'word = spelling'.");
            if (c == 0)
                throw new FormatException($"{place} has a NUL in it, so the file is not text.");
            line.Append((char)c);
        }
        return line?.ToString().TrimEnd('\r');
    }

    /// <summary>In form C, one blank between words, none at the ends.</summary>
    private static string Plain(string text) =>
        string.Join(' ', UnicodeComposition.Normalize(text).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
