// What lies between the vocoder's convolutions, and behind them.

// Windows' mels -> halves [row][column][inputs], and the same in 64 bits with as few channels as make a multiple of 8. Zeros behind the channels and
// behind the window.
extern "C" __global__ void __launch_bounds__(256) pack(const Window* windows, u16* y, double* wide, long long part, int channels, int columns,
    int inputs)
{
    release_next();
    wait_for_previous();
    const int column = blockIdx.x * blockDim.x + threadIdx.x, channel = blockIdx.y * 8, row = blockIdx.z;
    if (column >= columns)
        return;
    const Window& window = windows[row];
    float v[8];
#pragma unroll
    for (int i = 0; i < 8; i++)
        v[i] = channel + i < channels && column < window.count ? window.mel[(channel + i) * window.mel_stride + column] : 0;
    const size_t place = (size_t)row * columns + column;
    store_halves(y + place * inputs + channel, part, v);
    if (channel < channels)
#pragma unroll
        for (int i = 0; i < 8; i++)
            wide[place * ((channels + 7) / 8 * 8) + channel + i] = v[i];
}

// The mean of some arrays, leaky -> halves. Numbers: a multiple of 8.
extern "C" __global__ void __launch_bounds__(256) mean(const float* x, int arrays, long long numbers, float slope, u16* y)
{
    release_next();
    wait_for_previous();
    const long long at = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 8;
    if (at >= numbers)
        return;
    float sum[8];
    load_floats(sum, x + at);
    for (int array = 1; array < arrays; array++)
    {
        float other[8];
        load_floats(other, x + array * numbers + at);
#pragma unroll
        for (int i = 0; i < 8; i++)
            sum[i] += other[i];
    }
#pragma unroll
    for (int i = 0; i < 8; i++)
    {
        const float mean = sum[i] / arrays;
        sum[i] = mean < 0 ? mean * slope : mean;
    }
    store_halves(y + at, numbers, sum);
}

// Logarithms of magnitudes and what phases are sines of -> samples. x [row][frame][32], of which `bins` and as many more are meant; inverse
// [hop][2 * bins][size / hop], taps of the overlap-add as a convolution over frames; behind a window's end there is nothing; y [row][groups * hop].
// Group q has frames q + size / 2 / hop and those before. 128 groups a block.
extern "C" __global__ void __launch_bounds__(256) samples(const float* x, const float* inverse, const float* first_scale, const Window* windows,
    float* y, int frames, int groups, int rate, int bins, int size, int hop, float limit)
{
    constexpr int GROUPS = 128;
    extern __shared__ uint4 memory[];
    const int overlap = size / hop, width = 2 * bins, pitch = width | 1, row = blockIdx.y, first = blockIdx.x * GROUPS;
    float* const taps = (float*)memory;              // [2 * bins][size]
    float* const spectra = taps + width * size;      // [frame][pitch]
    release_next();
    for (int i = threadIdx.x; i < width * size; i += blockDim.x)
    {
        const int c = i / size, t = i % size;
        taps[i] = inverse[(t % hop * width + c) * overlap + overlap - 1 - t / hop];
    }
    wait_for_previous();
    const int begin = first + size / 2 / hop - (overlap - 1);
    const long long end = windows[row].end * rate;
    for (int i = threadIdx.x; i < (GROUPS + overlap - 1) * bins; i += blockDim.x)
    {
        const int frame = begin + i / bins, bin = i % bins;
        float real = 0, imaginary = 0;
        if (frame >= 0 && frame < frames && frame <= end)
        {
            const float* own = x + ((size_t)row * frames + frame) * 32;
            float magnitude = expf(own[bin]);
            magnitude = magnitude > 100 ? 100 : magnitude;
            const float phase = sinf(own[bins + bin]);
            real = magnitude * cosf(phase);
            imaginary = magnitude * sinf(phase);
        }
        spectra[i / bins * pitch + bin] = real;
        spectra[i / bins * pitch + bins + bin] = imaginary;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < GROUPS * hop; i += blockDim.x)
    {
        const int group = i / hop, r = i % hop;
        if (first + group >= groups)
            break;
        float sum = 0;
        for (int o = 0; o < overlap; o++)
        {
            const float* own = spectra + (group + overlap - 1 - o) * pitch;
            for (int c = 0; c < width; c++)
                sum += own[c] * taps[c * size + o * hop + r];
        }
        // Beside the beginning fewer windows overlap.
        if (first + group == 0)
            sum *= first_scale[r];
        y[(size_t)row * groups * hop + (size_t)first * hop + i] = sum > limit ? limit : sum < -limit ? -limit : sum;
    }
}
