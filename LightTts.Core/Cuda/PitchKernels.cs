using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>The vocoder's fundamental frequency and what it drives (pitch.cu). All arguments but numbers are addresses.</summary>
internal sealed class PitchKernels(CudaModule module)
{
    /// <summary>Outputs of a block of threads; <see cref="Convolve"/> has a multiple of them.</summary>
    public const int Tile = 32;

    /// <summary>Inputs lie in multiples of it.</summary>
    public const int InputStep = 8;

    /// <summary>Harmonics at the most: a warp each.</summary>
    public const int MostHarmonics = 32;

    private const int Threads = 128;
    private const int LongRows = 400; // columns of all rows from which on a block takes 64 of them

    private readonly CudaKernel _convolve16 = module.Kernel("convolve_wide_16");
    private readonly CudaKernel _convolve64 = module.Kernel("convolve_wide_64");
    private readonly CudaKernel _frequency = module.Kernel("frequency");
    private readonly CudaKernel _pitch = module.Kernel("pitch");
    private readonly CudaKernel _sourceSpectrum = module.Kernel("source_spectrum");

    /// <summary>A convolution in 64 bits and the activation behind it (ELU).</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Rows and columns.</param>
    /// <param name="layer">Inputs, outputs, taps, the columns before its own that a column's first tap reads, and those before a window's new frames
    /// that these depend on.</param>
    /// <param name="x">[rows, columns, inputs].</param>
    /// <param name="weight">As pitch.cu says.</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="windows">A <see cref="VocoderWindow"/> a row.</param>
    /// <param name="y">[rows, columns, outputs].</param>
    public void Convolve(nint stream, (int Rows, int Columns) shape, (int Inputs, int Outputs, int Taps, int Left, int Context) layer,
        nint x, nint weight, nint bias, nint windows, nint y)
    {
        var (kernel, columns) = shape.Rows * shape.Columns >= LongRows ? (_convolve64, 64) : (_convolve16, 16);
        kernel.Launch(stream, ((shape.Columns + columns - 1) / columns, layer.Outputs / Tile, shape.Rows), Threads,
            4 * columns * (Tile + 2) * sizeof(double), afterKernel: true, x, weight, bias, y, windows, Argument(shape.Columns),
            Argument(layer.Inputs), Argument(layer.Outputs), Argument(layer.Taps), Argument(layer.Left), Argument(layer.Context));
    }

    /// <summary>x [places, inputs] in 64 bits -> |w x + b|.</summary>
    public void Frequency(nint stream, int places, int inputs, nint x, nint weight, nint bias, nint y) =>
        _frequency.Launch(stream, ((places + 3) / 4, 1, 1), Threads, 0, afterKernel: true, x, weight, bias, y, Argument(places), Argument(inputs));

    /// <summary>Frequencies -> turns, and of each frame the mixed sines and the noise's amplitude.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Rows, frames and harmonics.</param>
    /// <param name="frequencies">[rows, frames] in 64 bits.</param>
    /// <param name="windows">A <see cref="VocoderWindow"/> a row.</param>
    /// <param name="mix">[harmonics].</param>
    /// <param name="bias">[1].</param>
    /// <param name="result">[rows, 1 + harmonics, frames] in 64 bits: frequencies and summed turns.</param>
    /// <param name="levels">[rows, frames, 2] in 32 bits.</param>
    /// <param name="source">Samples a second; amplitudes of sines and of noise beside them; the frequency above which there are sines; samples of a
    /// frame.</param>
    public void Pitch(nint stream, (int Rows, int Frames, int Harmonics) shape, nint frequencies, nint windows, nint mix, nint bias, nint result,
        nint levels, (float Rate, float Alpha, float Sigma, float Threshold, int SamplesPerFrame) source) =>
        _pitch.Launch(stream, (shape.Rows, 1, 1), 32 * shape.Harmonics, shape.Harmonics * shape.Frames * sizeof(float), afterKernel: true,
            frequencies, windows, mix, bias, result, levels, Argument(shape.Frames), Argument(shape.Harmonics), Argument(source.Rate),
            Argument(source.Alpha), Argument(source.Sigma), Argument(source.Threshold), Argument((float)source.SamplesPerFrame));

    /// <summary>The source's spectrum, zeros before it.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="shape">Rows, frames of the mel, samples of one; frames of the spectrum, and zeros before them.</param>
    /// <param name="transform">Bins, size and hop.</param>
    /// <param name="levels">[rows, frames of the mel, 2].</param>
    /// <param name="windows">A <see cref="VocoderWindow"/> a row.</param>
    /// <param name="forward">[2 * bins, size].</param>
    /// <param name="table">Numbers after which the noise begins anew.</param>
    /// <param name="y">[parts, rows, lead + frames, 32] in halves.</param>
    public void SourceSpectrum(nint stream, (int Rows, int MelFrames, int SamplesPerFrame, int Frames, int Lead) shape,
        (int Bins, int Size, int Hop) transform, nint levels, nint windows, nint forward, int table, nint y)
    {
        const int block = 64, channels = VocoderKernels.ChannelStep;
        var bytes = sizeof(float) * (transform.Size * channels + block * transform.Hop + transform.Size);
        _sourceSpectrum.Launch(stream, ((shape.Frames + block - 1) / block, shape.Rows, 1), 4 * block, bytes, afterKernel: true, levels, windows,
            forward, y, (long)shape.Rows * (shape.Lead + shape.Frames) * channels, Argument(shape.MelFrames), Argument(shape.SamplesPerFrame),
            Argument(shape.Frames), Argument(shape.Lead), Argument(transform.Bins), Argument(transform.Size), Argument(transform.Hop),
            Argument(table));
    }
}
