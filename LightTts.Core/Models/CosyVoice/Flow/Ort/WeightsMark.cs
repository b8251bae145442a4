using System.IO.Hashing;
using LightTts.Weights;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>Tells the weights of one training from those of another, without reading all of them.</summary>
internal static class WeightsMark
{
    /// <summary>Every tensor's name and shape, and what the small ones hold.</summary>
    public static string Of(ITensorArchive archive)
    {
        const int small = 1 << 16;
        var hash = new XxHash64();
        foreach (var (name, entry) in archive.Tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            hash.Append(System.Text.Encoding.UTF8.GetBytes($"{name}[{string.Join(',', entry.Shape)}]"));
            if (entry.ElementCount is > 0 and <= small)
                hash.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(entry.ToSingles()));
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
