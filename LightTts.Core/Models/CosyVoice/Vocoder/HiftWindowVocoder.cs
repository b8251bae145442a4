using System.Runtime.InteropServices;
using LightTts.Cuda;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Vocoder.Cuda;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel spectrogram to samples, in pieces, for devices that are kept waiting by launches (reference:
/// CausalHiFTGenerator.inference).</summary>
/// <remarks>
/// A pass goes over a window: the new frames and, before them, those that their samples depend on. Layers then keep nothing from pass to pass, so
/// that
/// a batch of windows is one captured piece of work; a third of it is done again. What is carried is the pitch: frequencies and phases of frames that
/// were determined before stay as they were. A window is computed as an utterance's beginning, which is true of the first; of the others it spoils
/// frames that nobody wants. Windows end where they end, with zeros behind, as utterances do. To be used by one thread.
/// </remarks>
internal sealed class HiftWindowVocoder : IVocoder
{
    private static readonly int[] RowSteps = [1, 2, 4, 8, 16, 32];
    private static readonly int[] FrameSteps = [64, 96, 144, 192, 288, 384, 512, 768, 1024];
    private const int MostFrames = 6144;      // of a batch
    private const int CapturedFrames = 1600; // of a batch: larger ones are long enough for launching to be no matter

    private readonly HiftNetwork _network;
    private readonly TorchDevice _device;
    private readonly CudaWindows? _own; // null: libtorch's operations do the work
    private readonly Dictionary<(int Rows, int Frames), HiftWindowBuffers> _buffers = [];
    private Tensor? _received; // in main memory; on CUDA such that the device writes it by itself

    private HiftWindowVocoder(HiftNetwork network, TorchDevice device, int heldFrames)
    {
        (_network, _device, HeldFrames) = (network, device, heldFrames);
        ContextFrames = Math.Max(network.Decoder.ContextFrames(network.Spectrum.Reach).Mel + HeldFrames,
            (int)network.F0.Context + VocoderF0.LookRight);
        _own = CudaWindows.TryCreate(network, device);
    }

    public int SamplesPerFrame => _network.SamplesPerFrame;

    public int HeldFrames { get; }

    /// <summary>Frames that are kept for the samples of those behind them.</summary>
    internal int ContextFrames { get; }

    internal VocoderConfig Config => _network.Config;

    internal Device Device => _device.Device;

    internal HiftNetwork Network => _network;

    /// <summary>Frames of the longest window.</summary>
    internal static int LongestWindow => FrameSteps[^1];

    /// <summary>Buffers of every shape that occurred.</summary>
    internal IEnumerable<HiftWindowBuffers> Buffers => _buffers.Values;

    /// <summary>Reads hift.pt.</summary>
    /// <param name="archive">The checkpoint; needed during the call only.</param>
    /// <param name="config">Its shapes.</param>
    /// <param name="device">Where it runs; in 32 bits, but for what own kernels read where bfloat16 is asked for.</param>
    /// <param name="noise">The noise table; see <see cref="VocoderNoise.OfFreshModel"/>.</param>
    /// <param name="heldFrames">Frames withheld until the last call.</param>
    /// <exception cref="TtsModelLoadException">The checkpoint does not hold what the configuration describes.</exception>
    public static HiftWindowVocoder Load(ITensorArchive archive, VocoderConfig config, TorchDevice device, VocoderNoise noise, int heldFrames = 8) =>
        new(HiftNetwork.Load(archive, config, device, noise), device, heldFrames);

    public void Prepare(int maxRows)
    {
        if (!_device.IsCuda || !CudaGraph.CanCapture(_device.Device.index))
            return;
        using var inference = inference_mode(true);
        var pool = new CudaGraphPool();
        var shapes = RowSteps.SelectMany(rows => FrameSteps.Select(frames => (Rows: rows, Frames: frames)))
            .Where(shape => shape.Rows <= maxRows && shape.Rows * shape.Frames <= CapturedFrames);
        // The largest first: what it works in is enough for the others.
        foreach (var (rows, frames) in shapes.OrderByDescending(shape => shape.Rows * shape.Frames))
        {
            var buffers = BuffersFor(rows, frames);
            buffers.Clear([]);
            try
            {
                buffers.Graph = CudaGraph.CaptureWarm(pool, () => Compute(buffers));
            }
            catch (ExternalException)
            {
                // The device has too little memory for it: windows of this shape are launched as they come, if they come.
            }
        }
    }

    public IVocoderState CreateState(MelPieces pieces = default) => new HiftWindowState();

    /// <summary>Opens a pass; rows with windows of about the same length run as one batch.</summary>
    public IDecodePass Begin(IReadOnlyList<VocoderRow> rows) => new HiftWindowPass(this, rows);

    public void Dispose()
    {
        foreach (var buffers in _buffers.Values)
            buffers.Dispose();
        _received?.Dispose();
        _own?.Dispose();
        _network.Dispose();
    }

    /// <summary>Whether windows go as one batch: so many, the longest and the shortest of so many frames.</summary>
    internal static bool Together(int rows, int longest, int shortest) =>
        rows <= RowSteps[^1] && 2 * Step(FrameSteps, shortest) >= Step(FrameSteps, longest)
        && Step(RowSteps, rows) * Step(FrameSteps, longest) <= MostFrames;

    internal HiftWindowBuffers BuffersFor(int rows, int frames)
    {
        var shape = (Step(RowSteps, rows), Step(FrameSteps, frames));
        if (!_buffers.TryGetValue(shape, out var buffers))
            _buffers[shape] = buffers = new HiftWindowBuffers(shape.Item1, shape.Item2, _network, _device, copies: _own is null);
        return buffers;
    }

    /// <summary>A row's next window, of so many frames.</summary>
    internal VocoderWindow Describe(HiftWindowState state, int frames, bool isLast, HiftWindowBuffers buffers)
    {
        var window = new VocoderWindow
        {
            Known = state.KnownLength, End = isLast ? frames : buffers.Frames, First = state.Emitted / SamplesPerFrame - state.Start, Count = frames,
        };
        if (buffers.Copies)
            return window;
        var (table, start) = _network.Source.Mixed.Locate(state.Start * SamplesPerFrame, (long)buffers.Frames * SamplesPerFrame);
        return window with
        {
            Mel = state.Mel!.Address(), MelStride = state.Length, Pitch = state.Known?.Address() ?? 0,
            PitchStride = state.KnownLength, Noise = table.Address(), NoiseStart = start,
        };
    }

    /// <summary>Computes what lies in the buffers.</summary>
    internal void Launch(HiftWindowBuffers buffers)
    {
        if (buffers.Graph is { } graph)
            graph.Replay();
        else
            Compute(buffers);
    }

    /// <summary>Waits for the result and gives some columns of the first rows, row after row; good until the next call.</summary>
    internal ReadOnlySpan<float> Receive(HiftWindowBuffers buffers, int rows, int column, int count)
    {
        using var scope = NewDisposeScope();
        var size = (long)rows * count;
        if (_received is null || _received.NumberOfElements < size)
        {
            _received?.Dispose();
            _received = null; // there may be no memory for another
            var plain = zeros([(long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)size)], ScalarType.Float32);
            _received = (_device.IsCuda ? plain.pin_memory() : plain).DetachFromDisposeScope();
        }
        _received.narrow(0, 0, size).view(rows, count).copy_(buffers.Samples.narrow(0, 0, rows).narrow(1, column, count).contiguous());
        return MemoryMarshal.Cast<byte, float>(_received.bytes)[..(int)size];
    }

    private static int Step(int[] steps, int value) => Array.Find(steps, step => step >= value);

    /// <summary>From buffers to buffers, with nothing in it that depends on values, so that it can be captured as it is.</summary>
    private void Compute(HiftWindowBuffers buffers)
    {
        using var scope = NewDisposeScope();
        if (_own is not null)
        {
            _own.Run(buffers);
            return;
        }
        var pass = VocoderPass.Window(buffers.Rows);
        var (f, sums) = Pitch(pass, buffers);
        var source = Mirrored(_network.Source.Mix(f, sums, buffers.Noise), buffers);
        var features = _network.Decoder.Pre(pass, pad(buffers.Mel, [0, _network.Config.ConvPreLookRight]));
        var frames = (long)buffers.Frames * _network.Upsampling + 1;
        var spectrum = _network.Decoder.Run(pass, features, _network.Spectrum.Forward(pass, source, frames));
        // An utterance's spectrum ends with it; one frame more brings the window's last samples.
        var end = buffers.Windows.narrow(1, 1, 1).mul(Scalars.Of((long)_network.Upsampling)); // [Rows, 1]
        var inside = buffers.Counting.narrow(0, 0, frames).unsqueeze(0).le(end).unsqueeze(1); // [Rows, 1, frames]
        var samples = _network.Spectrum.Inverse(pass, pad(spectrum.mul(inside), [0, 1]));
        var limit = _network.Config.AudioLimit;
        buffers.Samples.copy_(samples.clamp_(Scalars.Of(-limit), Scalars.Of(limit)));
    }

    /// <summary>Frequencies [Rows, 1, n] in 32 bits and summed turns [Rows, harmonics, n]: the known ones, and behind them the windows'.</summary>
    private (Tensor F, Tensor Sums) Pitch(VocoderPass pass, HiftWindowBuffers buffers)
    {
        long harmonics = _network.Config.Harmonics + 1;
        var known = buffers.Windows.narrow(1, 0, 1).unsqueeze(2); // [Rows, 1, 1]
        var at = buffers.Counting.narrow(0, 0, buffers.Frames).view(1, 1, -1);
        var (isNew, isLast) = (at.ge(known), at.eq(known.add(Scalars.Of(-1L))));
        var f0 = where(isNew, _network.F0.Run(pass, pad(buffers.Mel, [0, VocoderF0.LookRight])), buffers.Known.narrow(1, 0, 1));
        var f = f0.to(ScalarType.Float32);
        var before = buffers.Known.narrow(1, 1, harmonics);
        var carried = before.mul(isLast).sum(2, keepdim: true);
        var sums = where(isNew, cumsum(_network.Source.Turns(f).mul_(isNew), 2).PlusInPlace(carried), before);
        buffers.Pitch.copy_(cat([f0, sums], 1));
        return (f, sums);
    }

    /// <summary>The source with each row's last samples mirrored behind its end, where the spectrum reaches over it.</summary>
    private Tensor Mirrored(Tensor source, HiftWindowBuffers buffers)
    {
        var last = buffers.Windows.narrow(1, 1, 1).mul(Scalars.Of((long)SamplesPerFrame)).add_(Scalars.Of(-1L)); // [Rows, 1]
        var at = buffers.Counting.unsqueeze(0);
        var index = minimum(at, last.mul(Scalars.Of(2L)).add(at, Scalars.Of(-1L))).clamp_min_(Scalars.Of(0L));
        return source.gather(2, index.unsqueeze(1));
    }
}
