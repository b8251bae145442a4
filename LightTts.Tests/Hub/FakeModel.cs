using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using LightTts.Tests.Models.CosyVoice.Files;

namespace LightTts.Tests.Hub;

/// <summary>A file that a hub serves: its bytes follow from where they are, so that no test has to hold a large one.</summary>
internal sealed class ServedFile
{
    private readonly byte[]? _content;
    private readonly ulong _seed;

    public ServedFile(byte[] content) => (_content, Length) = (content, content.Length);

    public ServedFile(long length, ulong seed) => (Length, _seed) = (length, seed);

    public long Length { get; }

    /// <summary>Whether the hub keeps it in LFS, and so knows its SHA-256.</summary>
    public bool IsLfs => _content is null;

    public string Checksum => field ??= Hash();

    public void Read(long from, Span<byte> into)
    {
        if (_content is not null)
        {
            _content.AsSpan((int)from, into.Length).CopyTo(into);
            return;
        }
        Span<byte> word = stackalloc byte[8];
        for (var i = 0; i < into.Length;)
        {
            var at = from + i;
            BinaryPrimitives.WriteUInt64LittleEndian(word, ((ulong)(at / 8) + _seed) * 0x9E3779B97F4A7C15);
            var part = word[(int)(at % 8)..];
            var count = Math.Min(part.Length, into.Length - i);
            part[..count].CopyTo(into[i..]);
            i += count;
        }
    }

    private string Hash()
    {
#pragma warning disable CA5350 // git's names
        using var hash = IncrementalHash.CreateHash(IsLfs ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        if (!IsLfs)
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {Length}\0"));
        var buffer = new byte[1 << 20];
        for (long at = 0; at < Length; at += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - at));
            Read(at, part);
            hash.AppendData(part);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>A model as a hub has it: the small files are real, the weights large and arbitrary.</summary>
internal static class FakeModel
{
    public const string Name = "somebody/Some-Model_1.0";

    /// <param name="weights">Bytes of flow.pt; the other weights are smaller.</param>
    public static Dictionary<string, ServedFile> Create(long weights = 300_000)
    {
        static ServedFile Text(string text) => new(Encoding.UTF8.GetBytes(text));
        return new(StringComparer.Ordinal)
        {
            [".gitattributes"] = Text("*.pt filter=lfs"),
            ["README.md"] = Text("# A model"),
            ["cosyvoice3.yaml"] = Text(TinyDirectory.Yaml),
            ["CosyVoice-BlankEN/config.json"] = Text(TinyDirectory.Qwen),
            ["CosyVoice-BlankEN/vocab.json"] = Text("""{"a": 0, "b": 547}"""),
            ["CosyVoice-BlankEN/merges.txt"] = Text("#version: 0.2\n"),
            ["CosyVoice-BlankEN/model.safetensors"] = new(weights, 9),
            ["llm.pt"] = new(weights / 2, 1),
            ["llm.rl.pt"] = new(weights / 2, 2),
            ["flow.pt"] = new(weights, 3),
            ["flow.decoder.estimator.fp32.onnx"] = new(weights, 4),
            ["hift.pt"] = new(weights / 10, 5),
            ["speech_tokenizer_v3.onnx"] = new(weights / 5, 6),
            ["campplus.onnx"] = new(weights / 20, 7),
        };
    }

    /// <summary>What LightTts reads of it.</summary>
    public static readonly string[] Needed =
    [
        "CosyVoice-BlankEN/config.json", "CosyVoice-BlankEN/merges.txt", "CosyVoice-BlankEN/vocab.json", "campplus.onnx", "cosyvoice3.yaml",
        "flow.pt", "hift.pt", "llm.pt", "speech_tokenizer_v3.onnx",
    ];
}
