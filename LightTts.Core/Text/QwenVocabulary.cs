using System.Text.Json;

namespace LightTts.Text;

/// <summary>The files of a Qwen2 tokenizer: vocab.json, merges.txt, tokenizer_config.json.</summary>
/// <param name="Ids">Byte-level tokens and their ids.</param>
/// <param name="Merges">Pairs in order of rank, each with a blank between.</param>
/// <param name="Added">Tokens that are cut out of raw text, and their ids.</param>
internal sealed record QwenVocabulary(Dictionary<string, int> Ids, IReadOnlyList<string> Merges, Dictionary<string, int> Added)
{
    /// <summary>Reads the folder and adds the special tokens that it lacks, in order, after the highest id.</summary>
    /// <exception cref="TtsModelLoadException">A file is missing, unreadable, or not what its name says.</exception>
    public static QwenVocabulary Read(string folder, IReadOnlyList<string> specialTokens)
    {
        var ids = Open(folder, "vocab.json", ReadIds);
        var merges = Open(folder, "merges.txt", ReadMerges);
        foreach (var merge in merges)
        {
            var blank = merge.IndexOf(' ');
            if (blank <= 0 || blank == merge.Length - 1 || !ids.ContainsKey(merge[..blank]) || !ids.ContainsKey(merge[(blank + 1)..])
                || !ids.ContainsKey(merge.Remove(blank, 1)))
                throw new TtsModelLoadException($"merges.txt in {folder} has a merge that vocab.json does not know: '{merge}'. "
                    + "The two files must come from the same tokenizer; copy CosyVoice-BlankEN again.");
        }
        var added = Open(folder, "tokenizer_config.json", ReadAdded);
        var next = ids.Values.Concat(added.Values).Max() + 1;
        foreach (var token in specialTokens)
            if (!added.ContainsKey(token))
                added[token] = ids.TryGetValue(token, out var known) ? known : next++;
        return new QwenVocabulary(ids, merges, added);
    }

    private static Dictionary<string, int> ReadIds(byte[] json)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("an object of token: id was expected");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var token = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id) || id < 0)
                throw new JsonException($"the id of '{token}' is not a number from 0 on");
            ids[token] = id;
        }
        foreach (var letter in ByteAlphabet.Letters)
            if (!ids.ContainsKey(letter.ToString()))
                throw new JsonException($"it lacks the byte token '{letter}', so it is not the vocabulary of a byte-level tokenizer");
        return ids;
    }

    private static List<string> ReadMerges(byte[] text)
    {
        var merges = new List<string>();
        using var reader = new StreamReader(new MemoryStream(text));
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && !(merges.Count == 0 && line.StartsWith("#version", StringComparison.Ordinal)))
                merges.Add(line);
        return merges;
    }

    private static Dictionary<string, int> ReadAdded(byte[] json)
    {
        var added = new Dictionary<string, int>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.TryGetProperty("added_tokens_decoder", out var tokens))
            foreach (var token in tokens.EnumerateObject())
            {
                if (!int.TryParse(token.Name, out var id) || id < 0 || token.Value.GetProperty("content").GetString() is not { Length: > 0 } content)
                    throw new JsonException($"added_tokens_decoder has a bad entry '{token.Name}'");
                added[content] = id;
            }
        return added;
    }

    private static T Open<T>(string folder, string name, Func<byte[], T> read)
    {
        try
        {
            return read(File.ReadAllBytes(Path.Combine(folder, name)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TtsModelLoadException($"{name} is missing in {folder}: the model directory needs its tokenizer (CosyVoice-BlankEN).", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException
            or UnauthorizedAccessException)
        {
            throw new TtsModelLoadException($"{name} in {folder} cannot be read: {e.Message}. Download the file again.", e);
        }
    }
}
