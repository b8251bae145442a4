using System.Runtime.ExceptionServices;
using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel spectrogram to samples, in pieces (reference: CausalHiFTGenerator.inference; HiFTNet, arXiv 2309.09493).</summary>
/// <remarks>
/// Each call does the work of its new frames only: every causal layer keeps its tail in the <see cref="VocoderState"/>. The samples of all calls joined equal those of
/// one call over the whole mel. Called on one thread.
/// </remarks>
internal sealed class HiftVocoder : IDisposable
{
    // Frames that a step takes at the most: small enough for the activations to stay in the processor's cache, and for a long mel not to need gigabytes.
    private const int CpuStepFrames = 50;
    private const int CudaStepFrames = 2000;

    private readonly VocoderConfig _config;
    private readonly TorchDevice _device;
    private readonly VocoderSlots _slots = new();
    private readonly HiftGenerator _decoder;

    private HiftVocoder(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise)
    {
        (_config, _device) = (config, device);
        var reader = new WeightReader(archive, device, key => key.Replace("generator.", "", StringComparison.Ordinal));
        Upsampling = config.UpsampleRates.Aggregate(1, (a, b) => a * b);
        SamplesPerFrame = Upsampling * config.IstftHop;
        StepFrames = device.IsCuda ? CudaStepFrames : CpuStepFrames;
        Spectrum = new VocoderSpectrum(_slots, config, device.Device);
        F0 = new VocoderF0(_slots, reader, config);
        Source = new VocoderSource(_slots, reader, config, noise, SamplesPerFrame);
        _decoder = new HiftGenerator(_slots, reader, config, Spectrum.Bins);
        Parameters = reader.Parameters;
        try
        {
            reader.Complete();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Samples that one mel frame becomes.</summary>
    public int SamplesPerFrame { get; }

    /// <summary>Frames withheld until the last call. The reference withholds 8; what is exactly determined allows 5.</summary>
    public int HeldFrames { get; set; } = 8;

    /// <summary>Numbers in the weights.</summary>
    public long Parameters { get; }

    internal int StepFrames { get; set; }

    internal int Upsampling { get; }

    internal VocoderF0 F0 { get; }

    internal VocoderSource Source { get; }

    internal VocoderSpectrum Spectrum { get; }

    /// <summary>Reads hift.pt.</summary>
    /// <param name="archive">The checkpoint; needed during the call only.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="device">Where it runs. It always computes in 32 bits: its activations reach tens of thousands.</param>
    /// <param name="noise">The noise table; see <see cref="VocoderNoise.OfFreshModel"/>.</param>
    /// <exception cref="TtsModelLoadException">The checkpoint does not hold what the configuration describes.</exception>
    public static HiftVocoder Load(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise) => new(archive, config, device, noise);

    /// <summary>Starts an utterance.</summary>
    public VocoderState CreateState() => new(_slots.Count);

    /// <summary>A whole utterance in one call. [1, bands, frames] -> frames * <see cref="SamplesPerFrame"/> samples in [-limit, limit].</summary>
    public float[] Run(Tensor mel)
    {
        using var state = CreateState();
        var row = new VocoderRow { State = state, Mel = mel, Final = true };
        Run([row]);
        if (row.Error is { } error)
            ExceptionDispatchInfo.Throw(error);
        return row.Samples;
    }

    /// <summary>Takes the new frames of every row and writes the samples that became ready into the rows; rows with equal frame counts run as one batch.</summary>
    /// <param name="rows">Rows of different states.</param>
    /// <param name="interlude">Called between steps; may run rows of other states. Must not throw.</param>
    public void Run(IReadOnlyList<VocoderRow> rows, Action? interlude = null)
    {
        using var mode = inference_mode();
        foreach (var group in rows.Where(Take).GroupBy(row => (row.State.Started, row.Final, Waiting: row.State.Waiting!.shape[2])).ToList())
        {
            VocoderRow[] members = [.. group];
            try
            {
                RunGroup(members, group.Key.Final, interlude);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                foreach (var row in members)
                    row.Error = e;
            }
        }
    }

    /// <summary>Linear interpolation along time, for other speaking rates (reference: F.interpolate, align_corners False). [1, bands, n] -> [1, bands, n / speed], at least one frame.</summary>
    public static Tensor Stretch(Tensor mel, double speed) =>
        interpolate(mel, [Math.Max(1, (long)(mel.shape[2] / speed))], mode: InterpolationMode.Linear, align_corners: false);

    public void Dispose()
    {
        F0.Dispose();
        Source.Dispose();
        Spectrum.Dispose();
        _decoder.Dispose();
    }

    // Adds a row's frames to those that wait; false if the row has nothing to run.
    private bool Take(VocoderRow row)
    {
        var state = row.State;
        row.Samples = [];
        if (state.Finished)
        {
            row.Error = new InvalidOperationException("The utterance is over: its last frames were handed over before, or its state is disposed.");
            return false;
        }
        if (row.Mel.Dimensions != 3 || row.Mel.shape[0] != 1 || row.Mel.shape[1] != _config.MelBands)
        {
            row.Error = new ArgumentException($"The mel must be [1, {_config.MelBands}, frames], not [{string.Join(", ", row.Mel.shape)}].");
            return false;
        }
        using var scope = NewDisposeScope();
        var mel = row.Mel.to(ScalarType.Float32, _device.Device);
        var waiting = (state.Waiting is { } before ? cat([before, mel], 2) : mel.alias()).DetachFromDisposeScope();
        state.Waiting?.Dispose();
        state.Waiting = waiting;
        state.Frames += row.Mel.shape[2];
        state.Finished = row.Final;
        // The first step needs a frame beyond the look-ahead.
        if (row.Final)
            return state.Frames > 0;
        return waiting.shape[2] > (state.Started ? 0 : _config.ConvPreLookRight);
    }

    private void RunGroup(VocoderRow[] rows, bool final, Action? interlude)
    {
        using var scope = NewDisposeScope();
        using var pass = new VocoderPass([.. rows.Select(row => row.State)]);
        var mel = cat([.. rows.Select(row => row.State.Waiting!)]); // [B, bands, n]
        var frames = mel.shape[2];
        List<Tensor> pieces = [];
        for (long at = 0; at == 0 || at < frames; at += StepFrames)
        {
            if (at > 0)
                interlude?.Invoke();
            var count = Math.Min(StepFrames, frames - at);
            pass.Final = final && at + count == frames;
            pieces.Add(Step(pass, mel.narrow(2, at, count)));
        }
        using var samples = cat(pieces, 1).clamp_(Scalars.Of(-_config.AudioLimit), Scalars.Of(_config.AudioLimit)).cpu();
        pass.Commit();
        var values = TensorData.ToSingles(samples);
        var each = values.Length / rows.Length;
        for (var i = 0; i < rows.Length; i++)
            Emit(rows[i], values.AsSpan(i * each, each));
    }

    // Frames [B, bands, n] -> samples [B, m].
    private Tensor Step(VocoderPass pass, Tensor mel)
    {
        using var scope = NewDisposeScope();
        var source = Source.Run(pass, F0.Run(pass, mel));
        var features = _decoder.Pre(pass, mel);
        var spectrum = Spectrum.Forward(pass, source, features.shape[2] * Upsampling + (pass.First ? 1 : 0));
        var samples = Spectrum.Inverse(pass, _decoder.Run(pass, features, spectrum));
        pass.Advance(source.shape[2]);
        return samples.MoveToOuterDisposeScope();
    }

    private void Emit(VocoderRow row, ReadOnlySpan<float> fresh)
    {
        var state = row.State;
        float[] ready = [.. state.Held, .. fresh];
        var due = Math.Max(0, (state.Frames - HeldFrames) * SamplesPerFrame - state.Emitted);
        var count = row.Final ? ready.Length : (int)Math.Min(ready.Length, due);
        (row.Samples, state.Held) = (ready[..count], ready[count..]);
        state.Emitted += count;
        if (row.Final)
        {
            state.Clear();
            return;
        }
        state.Waiting?.Dispose();
        state.Waiting = null;
    }
}
