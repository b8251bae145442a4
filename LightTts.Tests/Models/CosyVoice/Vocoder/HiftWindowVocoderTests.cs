using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Vocoder;

/// <summary>The same laws for the vocoder that GPUs have, on the CPU, and against the one that CPUs have.</summary>
public sealed class HiftWindowVocoderTests(ITestOutputHelper output) : VocoderTests(output)
{
    /// <summary>Whole utterances, one of them longer than a window, against the vocoder that keeps layers' tails.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(64)]
    [InlineData(1100)]
    public void It_is_the_other_one(int frames)
    {
        using var windows = Load();
        using var tails = base.Load();
        using var mel = Mel(frames, frames);
        Equal(tails.Run(mel), windows.Run(mel));
    }

    /// <summary>Rows that begin, go on and end in one batch, whatever lay in the buffers before.</summary>
    [Fact]
    public void Rows_in_different_places_of_their_utterances()
    {
        using var windows = (HiftWindowVocoder)Load(5);
        using var tails = base.Load(5);
        int[] lengths = [130, 61, 90, 20, 150];
        int[][] cuts = [[50, 50, 30], [0, 11, 50], [41, 49, 0], [0, 0, 20], [100, 0, 50]];
        var mels = lengths.Select((frames, i) => Mel(20 + i, frames)).ToArray();
        var states = mels.Select(_ => windows.CreateState()).ToArray();
        var heard = mels.Select(_ => new List<float>()).ToArray();
        var done = new int[mels.Length];
        for (var call = 0; call < 3; call++)
        {
            using (inference_mode())
                foreach (var buffers in windows.Buffers)
                    foreach (var tensor in (Tensor[])[buffers.Mel, buffers.Known, buffers.Pitch, buffers.Samples])
                        tensor.fill_(double.NaN);
            List<(int I, VocoderRow Row)> rows = [];
            for (var i = 0; i < mels.Length; i++)
            {
                var count = cuts[i][call];
                if (count == 0 && !(call == 2 && done[i] == lengths[i]))
                    continue;
                rows.Add((i, Row(states[i], mels[i], done[i], count, call == 2)));
                done[i] += count;
            }
            windows.Run([.. rows.Select(each => each.Row)]);
            foreach (var (i, row) in rows)
            {
                Assert.Null(row.Error);
                heard[i].AddRange(row.Samples);
            }
        }
        for (var i = 0; i < mels.Length; i++)
        {
            Equal(tails.Run(mels[i]), heard[i].ToArray());
            Assert.Equal(0, states[i].CacheBytes);
        }
    }

    /// <summary>A batch that cannot be computed is taken apart: who is not to blame hears what it hears alone, and goes on.</summary>
    [Fact]
    public void One_of_a_batch_that_fails_fails_alone()
    {
        using var windows = (HiftWindowVocoder)Load(5);
        var mels = Enumerable.Range(0, 3).Select(i => Mel(40 + i, 90)).ToArray();
        var states = mels.Select(_ => (HiftWindowState)windows.CreateState()).ToArray();
        var first = mels.Select((mel, i) => Row(states[i], mel, 0, 50, false)).ToArray();
        using (var pass = windows.Begin(first))
        {
            states[1].Mel!.Dispose();
            while (pass.Advance())
            {
            }
        }
        Assert.Equal([false, true, false], first.Select(row => row.Error is not null));
        var rest = ((int[])[0, 2]).Select(i => Row(states[i], mels[i], 50, 40, true)).ToArray();
        windows.Run(rest);
        Equal(windows.Run(mels[0]), [.. first[0].Samples, .. rest[0].Samples]);
        Equal(windows.Run(mels[2]), [.. first[2].Samples, .. rest[1].Samples]);
    }

    private protected override IVocoder Load(int held = 8)
    {
        using var archive = PyTorchCheckpoint.Open(Repo.Golden("main/models/cosyvoice3-tiny/hift.pt"));
        return HiftWindowVocoder.Load(archive, Vocoders.Config(24, 20), TorchDevice.Cpu, new Vocoders.Weyl(), held);
    }
}
