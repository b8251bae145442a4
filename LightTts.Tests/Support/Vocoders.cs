using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Support;

/// <summary>The vocoders of the fixtures, with the noise tables that they were recorded with.</summary>
internal static class Vocoders
{
    public static VocoderConfig Config(int baseChannels, int f0Channels) => new()
    {
        SampleRate = 24000,
        MelBands = 80,
        BaseChannels = baseChannels,
        Harmonics = 8,
        NsfAlpha = 0.1,
        NsfSigma = 0.003,
        VoicedThreshold = 10,
        UpsampleRates = [8, 5, 3],
        UpsampleKernels = [16, 11, 7],
        IstftSize = 16,
        IstftHop = 4,
        ResBlockKernels = [3, 7, 11],
        ResBlockDilations = [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        SourceResBlockKernels = [7, 7, 11],
        SourceResBlockDilations = [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
        LeakyReluSlope = 0.1,
        AudioLimit = 0.99,
        ConvPreLookRight = 4,
        F0Channels = f0Channels,
    };

    /// <summary>The golden fixtures' vocoder.</summary>
    public static HiftVocoder Golden(VocoderNoise? noise = null, TorchDevice? device = null)
    {
        using var archive = PyTorchCheckpoint.Open(Repo.Golden("main/models/cosyvoice3-tiny/hift.pt"));
        return HiftVocoder.Load(archive, Config(24, 20), device ?? TorchDevice.Cpu, noise ?? new Weyl());
    }

    /// <summary>The golden fixtures' vocoder of CosyVoice2.</summary>
    /// <param name="asReference">With calls and noise as the fixtures were recorded with.</param>
    /// <param name="device">Where it runs.</param>
    public static OverlapVocoder Golden2(bool asReference = true, TorchDevice? device = null)
    {
        var directory = ModelDirectory.Open(Repo.Golden("main/models/cosyvoice2-tiny"));
        using var archive = ModelFiles.OpenWeights(directory.Files.Vocoder);
        return OverlapVocoder.Load(archive, directory.Config.Vocoder, device ?? TorchDevice.Cpu, asReference ? new WeylNormal()
            : VocoderNoise.Normal(),
            asReference);
    }

    /// <summary>The embedded voice's vocoder.</summary>
    public static HiftVocoder TinyEn(VocoderNoise noise, TorchDevice? device = null)
    {
        using var archive = PyTorchCheckpoint.Open(Path.Combine(Repo.TinyEn, "hift.pt"));
        return HiftVocoder.Load(archive, Config(160, 256), device ?? TorchDevice.Cpu, noise);
    }

    /// <summary>The embedded voice's vocoder as GPUs have it, on any device.</summary>
    public static HiftWindowVocoder TinyEnWindows(VocoderNoise noise, TorchDevice? device = null)
    {
        using var archive = PyTorchCheckpoint.Open(Path.Combine(Repo.TinyEn, "hift.pt"));
        return HiftWindowVocoder.Load(archive, Config(160, 256), device ?? TorchDevice.Cpu, noise);
    }

    /// <summary>Runs rows as one pass.</summary>
    public static void Run(this IVocoder vocoder, IReadOnlyList<VocoderRow> rows) => vocoder.Begin(rows).Finish();

    /// <summary>One call from its beginning to its end: samples and source.</summary>
    public static (Tensor Samples, Tensor Source) Run(this OverlapVocoder vocoder, Tensor mel, long[] firstFrames, Tensor? known)
    {
        using var call = vocoder.Begin(mel, firstFrames, known);
        while (call.Advance())
        {
        }
        var (samples, source) = call.Finish();
        return (samples.clone(), source.clone());
    }

    /// <summary>A whole utterance in one pass: [1, bands, frames] -> samples.</summary>
    public static float[] Run(this IVocoder vocoder, Tensor mel)
    {
        using var state = vocoder.CreateState();
        var row = new VocoderRow { State = state, Mel = mel, Final = true };
        vocoder.Run([row]);
        Assert.Null(row.Error);
        return row.Samples;
    }

    public static Tensor Tensor(this ITensorArchive archive, string name) =>
        TensorData.FromSingles(archive.Tensors[name].ToSingles(), CPU, [.. archive.Tensors[name].Shape]);

    public static float[] Values(this ITensorArchive archive, string name) => archive.Tensors[name].ToSingles();

    /// <summary>The largest absolute difference; the lengths must agree.</summary>
    public static float MaxDifference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = 0f;
        for (var i = 0; i < expected.Length; i++)
            worst = MathF.Max(worst, float.IsNaN(actual[i]) ? float.PositiveInfinity : MathF.Abs(expected[i] - actual[i]));
        return worst;
    }

    /// <summary>The sequence that the golden fixtures put in place of the reference's noise table.</summary>
    public sealed class Weyl : VocoderNoise
    {
        private ulong _next;

        public override void Next(Span<float> values)
        {
            foreach (ref var value in values)
                value = (float)(((_next++ * 2654435761ul + 2 * 40503ul + 12345ul) & 0xffffffff) / 4294967296.0);
        }
    }

    /// <summary>The same with the mean and the spread of a normal distribution.</summary>
    public sealed class WeylNormal : VocoderNoise
    {
        private ulong _next;

        public override void Next(Span<float> values)
        {
            foreach (ref var value in values)
                value = (float)((2 * (((_next++ * 2654435761ul + 2 * 40503ul + 12345ul) & 0xffffffff) / 4294967296.0) - 1) * Math.Sqrt(3));
        }
    }

    /// <summary>A stored table; zeros after its end.</summary>
    public sealed class Stored(float[] table) : VocoderNoise
    {
        private int _next;

        public override void Next(Span<float> values)
        {
            var count = Math.Min(values.Length, table.Length - _next);
            table.AsSpan(_next, count).CopyTo(values);
            values[count..].Clear();
            _next += count;
        }
    }
}
