// The vocoder's fundamental frequency and its harmonic source. Frequencies are computed in 64 bits, on the tensor cores, as their error grows with
// time in the phase; numbers lie by time: [row][column][channel].

// elu(W x + b) along time: x [row][column][inputs], inputs a multiple of 8; y [row][column][outputs], outputs a multiple of 32. A tap of a column is
// so many columns before its own; zeros are beside the row. Of a window those columns are computed that its new frames depend on, `context` before
// them. Weights come as lanes take them: [32 outputs][tap][8 inputs][8 outputs][lane][2], where
// lane 4 g + t holds of output g the inputs 2t and 2t + 1. A block has TIMES * 8 columns of 32 outputs, a warp a quarter of the inputs and taps.
template <int TIMES>
__device__ __forceinline__ void convolve_wide(const double* x, const double* weight, const double* bias, double* y, const Window* windows,
    int columns, int inputs, int outputs, int taps, int left, int context)
{
    constexpr int COLUMNS = TIMES * 8, OUTPUTS = 32, STRIDE = OUTPUTS + 2, BATCH = TIMES <= 2 ? 3 : 1;
    extern __shared__ uint4 shared[];
    double* const parts = (double*)shared;           // [warp][column][STRIDE]
    release_next();
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const int tile = blockIdx.y, row = blockIdx.z;
    const int first = max(0, (int)windows[row].known - context) + blockIdx.x * COLUMNS;
    if (first >= min(columns, (int)windows[row].count))
    {
        wait_for_previous(); // as who waits for this kernel relies on those before it, too
        return;
    }
    const int chunks = inputs / 8, steps = taps * chunks, begin = steps * warp / 4, end = steps * (warp + 1) / 4;
    const double2* w = (const double2*)weight + (size_t)tile * steps * 4 * 32 + lane;
    const double* own = x + (size_t)row * columns * inputs + 2 * t;
    double sums[TIMES][4][2] = {};
    // BATCH steps are under way while as many are multiplied.
    double2 a[BATCH][TIMES], b[BATCH][4];
    auto load = [&](int from)
    {
#pragma unroll
        for (int i = 0; i < BATCH; i++)
        {
            const int step = from + i, tap = step / chunks, input = step % chunks * 8;
            const bool there = step < end;
#pragma unroll
            for (int output = 0; output < 4; output++)
                b[i][output] = w[((there ? step : begin) * 4 + output) * 32];
#pragma unroll
            for (int time = 0; time < TIMES; time++)
            {
                const int column = first + time * 8 + g - left + tap;
                a[i][time].x = a[i][time].y = 0;
                if (there && column >= 0 && column < columns)
                    a[i][time] = *(const double2*)(own + (size_t)column * inputs + input);
            }
        }
    };
    wait_for_previous();
    load(begin);
#pragma unroll 2
    for (int step = begin; step < end; step += BATCH)
    {
        double2 left_side[BATCH][TIMES], right_side[BATCH][4];
#pragma unroll
        for (int i = 0; i < BATCH; i++)
        {
#pragma unroll
            for (int time = 0; time < TIMES; time++)
                left_side[i][time] = a[i][time];
#pragma unroll
            for (int output = 0; output < 4; output++)
                right_side[i][output] = b[i][output];
        }
        load(step + BATCH);
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int time = 0; time < TIMES; time++)
#pragma unroll
                for (int output = 0; output < 4; output++)
                {
                    multiply_add_doubles(sums[time][output], left_side[i][time].x, right_side[i][output].x);
                    multiply_add_doubles(sums[time][output], left_side[i][time].y, right_side[i][output].y);
                }
    }
#pragma unroll
    for (int time = 0; time < TIMES; time++)
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            double* to = parts + (warp * COLUMNS + time * 8 + g) * STRIDE + i * 8 + 2 * t;
            to[0] = sums[time][i][0];
            to[1] = sums[time][i][1];
        }
    __syncthreads();
    for (int i = threadIdx.x; i < COLUMNS * OUTPUTS; i += blockDim.x)
    {
        const int column = i / OUTPUTS, output = i % OUTPUTS;
        if (first + column >= columns)
            break;
        double sum = bias[tile * OUTPUTS + output];
#pragma unroll
        for (int part = 0; part < 4; part++)
            sum += parts[(part * COLUMNS + column) * STRIDE + output];
        y[((size_t)row * columns + first + column) * outputs + tile * OUTPUTS + output] = sum > 0 ? sum : expm1(sum);
    }
}

extern "C" __global__ void __launch_bounds__(128) convolve_wide_16(const double* x, const double* weight, const double* bias, double* y,
    const Window* windows, int columns, int inputs, int outputs, int taps, int left, int context)
{
    convolve_wide<2>(x, weight, bias, y, windows, columns, inputs, outputs, taps, left, context);
}

extern "C" __global__ void __launch_bounds__(128) convolve_wide_64(const double* x, const double* weight, const double* bias, double* y,
    const Window* windows, int columns, int inputs, int outputs, int taps, int left, int context)
{
    convolve_wide<8>(x, weight, bias, y, windows, columns, inputs, outputs, taps, left, context);
}

// x [places][inputs] -> |w x + b|, a warp a place.
extern "C" __global__ void __launch_bounds__(128) frequency(const double* x, const double* weight, const double* bias, double* y, int places,
    int inputs)
{
    release_next();
    wait_for_previous();
    const int place = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (place >= places)
        return;
    double sum = 0;
    for (int i = lane; i < inputs; i += 32)
        sum += x[(size_t)place * inputs + i] * weight[i];
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    if (lane == 0)
        y[place] = fabs(sum + bias[0]);
}

// Frequencies [row][frame] -> what the source is made of, a frame each: the mixed sines, and the noise's amplitude; and result
// [row][1 + harmonics][frame], frequencies and summed turns, in which those that were known stay. A block a row, a warp a harmonic.
extern "C" __global__ void __launch_bounds__(1024) pitch(const double* frequencies, const Window* windows, const float* mix, const float* bias,
    double* result, float2* levels, int frames, int harmonics, float rate, float alpha, float sigma, float threshold, float samples_of_frame)
{
    extern __shared__ uint4 memory[];
    float* const sines = (float*)memory;             // [harmonic][frame]
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, harmonic = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int determined = (int)windows[row].known;
    const double* before = windows[row].pitch;
    double* to = result + (size_t)row * (1 + harmonics) * frames;
    const double* turns_before = before + (1 + harmonic) * windows[row].pitch_stride;
    double carried = determined > 0 ? turns_before[determined - 1] : 0;
    for (int start = 0; start < frames; start += 32)
    {
        const int frame = start + lane;
        const bool there = frame < frames, is_new = there && frame >= determined;
        const double wide = !there ? 0 : is_new ? frequencies[(size_t)row * frames + frame] : before[frame];
        const float turns = (float)wide * (float)(harmonic + 1) / rate;
        double sum = is_new ? (double)(turns - truncf(turns)) : 0;
#pragma unroll
        for (int distance = 1; distance < 32; distance *= 2)
        {
            const double other = __shfl_up_sync(0xffffffffu, sum, distance);
            sum += lane >= distance ? other : 0;
        }
        const double total = __shfl_sync(0xffffffffu, sum, 31);
        sum = there && !is_new ? turns_before[frame] : sum + carried;
        carried += total;
        if (!there)
            continue;
        to[(size_t)(1 + harmonic) * frames + frame] = sum;
        if (harmonic == 0)
            to[frame] = wide;
        sines[harmonic * frames + frame] = sinf((float)sum * 2.0f * 3.14159274f * samples_of_frame);
    }
    __syncthreads();
    for (int frame = threadIdx.x; frame < frames; frame += blockDim.x)
    {
        const double wide = frame < determined ? before[frame] : frequencies[(size_t)row * frames + frame];
        const bool voiced = (float)wide > threshold;
        float held = bias[0];
        if (voiced)
            for (int i = 0; i < harmonics; i++)
                held += mix[i] * (sines[i * frames + frame] * alpha);
        levels[(size_t)row * frames + frame] = make_float2(held, voiced ? sigma : alpha / 3);
    }
}

// The source, and its spectrum as halves: [row][lead + frame][32], zeros in the lead. forward [2 * bins][size]; the noise's table begins anew after
// `table` numbers. Samples are mirrored at a window's end, as at its beginning. 64 frames a block.
extern "C" __global__ void __launch_bounds__(256) source_spectrum(const float2* levels, const Window* windows, const float* forward, u16* y,
    long long part, int mel_frames, int samples_of_frame, int frames, int lead, int bins, int size, int hop, int table)
{
    constexpr int FRAMES = 64;
    extern __shared__ uint4 memory[];
    float* const taps = (float*)memory;              // [size][32]
    float* const source = taps + size * 32;
    release_next();
    for (int i = threadIdx.x; i < size * 32; i += blockDim.x)
        taps[i] = i % 32 < 2 * bins ? forward[i % 32 * size + i / 32] : 0;
    wait_for_previous();
    const int row = blockIdx.y, first = blockIdx.x * FRAMES;
    const long long all = (long long)mel_frames * samples_of_frame, last = windows[row].end * samples_of_frame - 1;
    if (windows[row].count == 0)
        return;
    const float* noise = windows[row].noise;
    for (int i = threadIdx.x; i < FRAMES * hop + size; i += blockDim.x)
    {
        long long at = (long long)first * hop - size / 2 + i;
        at = at < 0 ? -at : at;
        at = min(at, 2 * last - at);
        at = at < 0 ? 0 : at;
        float value = 0;
        if (at < all)
        {
            const float2 level = levels[(size_t)row * mel_frames + at / samples_of_frame];
            const long long place = windows[row].noise_start + at;
            value = tanhf(level.y * noise[place < table ? place : place - table] + level.x);
        }
        source[i] = value;
    }
    __syncthreads();
    const int frame = threadIdx.x / 4, channel = threadIdx.x % 4 * 8;
    u16* to = y + (size_t)row * (lead + frames) * 32 + channel;
    float sums[8] = {};
    if (blockIdx.x == 0)
        for (int i = frame; i < lead; i += FRAMES)
            store_halves(to + (size_t)i * 32, part, sums);
    if (first + frame >= frames)
        return;
    for (int t = 0; t < size; t++)
    {
        const float own = source[frame * hop + t];
#pragma unroll
        for (int i = 0; i < 8; i++)
            sums[i] += own * taps[t * 32 + channel + i];
    }
    store_halves(to + (size_t)(lead + first + frame) * 32, part, sums);
}
