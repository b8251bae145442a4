// The vocoder's convolutions along time as matrix products on the tensor cores, with what stands around them: residuals, the sum with the source,
// activations. Several of them, of whatever shapes, are one launch.
//
// Numbers lie by time: [row][column][channel], channels padded to a multiple of 32 by zeros. What a convolution reads was activated when it was
// written, as halves of a sixteenth of the numbers (they reach tens of thousands), in PARTS planes: one, of 11 significant bits, or two, the second
// holding what the first cannot, for three products instead of one and 22 bits. Sums are of 32 bits, and their order depends on a convolution's
// inputs and taps alone: a row gets the same bits in any company.
//
// A block computes COLUMNS columns of 64 channels. It goes over the inputs in chunks of 32 channels; a chunk's columns, and those before them that
// the taps reach, lie in shared memory once for all taps. Weights come in the order in which lanes take them: [tile of 64 channels][chunk][tap]
// [part][8 channels of the tile][lane][8 halves], where lane 4 g + t holds of channel 32 (i / 4) + 8 (g / 2) + 2 (i % 4) + g % 2, for i-th 8, the
// inputs 2t, 2t + 1, 2t + 8, 2t + 9 of the chunk's first half and then of its second: so that a lane's sums are of 8 channels side by side.

#define CHUNK 32
#define PITCH 40          // halves from a column to the next in shared memory: 8 columns lie in different banks
#define TILE 64           // channels of a block
#define RING (8 / PARTS)  // pieces of weights in shared memory
#define PIECE (TILE * CHUNK * PARTS)
#define SHRINK 0.0625f

// Where results go, activated. Null: nowhere.
struct Output
{
    u16* values;
    const float* alpha;   // of the snake, and 1 / alpha behind it, a number a channel each; null: leaky
};

struct Convolution
{
    const u16* input;
    long long input_part; // halves from one plane to the next
    long long input_row;  // and from one row to the next
    const u16* weight;
    const float* scale;   // of sums, a number a channel of the product, and biases behind them
    const float* add;     // added to the result, or null
    float* sums;          // the result in 32 bits, or null
    Output outputs[3];
    long long output_part;
    const Window* windows; // of the rows, or null
    int inputs;           // channels, a multiple of CHUNK
    int length;           // columns of the input; there are zeros beside them
    int taps;
    int dilation;
    int left;             // columns before its own that the first tap of a column reads
    int columns;          // of the product
    int channels;         // of the result, a multiple of 32
    int rate;             // columns of the result in one of the product: its channels are [rate, channels]
    int shift;            // 1: the result has a column more, before all others, that mirrors the second next to it
    int tiles;            // of channels
    int blocks;           // in all rows
    float slope;          // of the leaky activation
    int frame_columns;    // of the product, in a window's frame
    int context;          // columns before those of the first frame that are needed
};

struct Convolutions
{
    Convolution list[JOBS];
};

#if PARTS == 2
// sin(x)^2. Exact to 2^-22 as far as x is; from a hundred thousand turns on x itself is not.
__device__ __forceinline__ float sine_squared(float x)
{
    const float turns = rintf(x * 0.318309886f);
    float r = fmaf(turns, -3.14159203f, x);
    r = fmaf(turns, -6.27832946e-7f, r);
    r = fmaf(turns, -1.07806051e-14f, r);
    const float s = r * r;
    float p = fmaf(s, -2.38889859e-8f, 2.75255616e-6f);
    p = fmaf(p, s, -1.98408744e-4f);
    p = fmaf(p, s, 8.33333310e-3f);
    p = fmaf(p, s, -1.66666667e-1f);
    const float sine = fmaf(r * s, p, r);
    return sine * sine;
}
#else
// The same by the cosine of twice x, to 2^-21 and half of what rounding x to 32 bits makes it be.
__device__ __forceinline__ float sine_squared(float x) { return fmaf(__cosf(2 * x), -0.5f, 0.5f); }
#endif

// 8 numbers as halves.
__device__ __forceinline__ void store_halves(u16* to, long long part, const float (&v)[8])
{
    u32 first[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        first[i] = to_halves(v[2 * i] * SHRINK, v[2 * i + 1] * SHRINK);
    *(uint4*)to = make_uint4(first[0], first[1], first[2], first[3]);
#if PARTS == 2
    u32 rest[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        const float2 held = from_halves(first[i]);
        rest[i] = to_halves(fmaf(v[2 * i], SHRINK, -held.x), fmaf(v[2 * i + 1], SHRINK, -held.y));
    }
    *(uint4*)(to + part) = make_uint4(rest[0], rest[1], rest[2], rest[3]);
#endif
}

__device__ __forceinline__ void load_floats(float (&v)[8], const float* from)
{
    const float4 a = *(const float4*)from, b = *(const float4*)(from + 4);
    v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}

__device__ __forceinline__ void await_all_but(int groups)
{
#if RING > 4
    if (groups == 6)
        return await_fetches<6>();
    if (groups >= 4)
        return await_fetches<4>();
#endif
    if (groups >= 2)
        return await_fetches<2>();
    if (groups == 1)
        return await_fetches<1>();
    await_fetches<0>();
}

// What follows a product, for 4 columns of which a lane has 8 channels each. places: where in the result they lie, or -1.
__device__ __forceinline__ void finish(const Convolution& job, const int (&places)[4], long long row, int channel, float (&v)[4][8])
{
    // All loads go out before the first number is written, as they may lie where results do.
    if (job.add)
    {
        float other[4][8];
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (places[i] >= 0)
                load_floats(other[i], job.add + row + places[i]);
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int c = 0; c < 8; c++)
                v[i][c] += other[i][c];
    }
    if (job.sums)
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (places[i] >= 0)
            {
                float* to = job.sums + row + places[i];
                *(float4*)to = make_float4(v[i][0], v[i][1], v[i][2], v[i][3]);
                *(float4*)(to + 4) = make_float4(v[i][4], v[i][5], v[i][6], v[i][7]);
            }
#pragma unroll
    for (int o = 0; o < 3; o++)
    {
        const Output output = job.outputs[o];
        if (!output.values)
            continue;
        float alpha[8], inverse[8];
        if (output.alpha)
        {
            load_floats(alpha, output.alpha + channel);
            load_floats(inverse, output.alpha + job.channels + channel);
        }
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            float y[8];
#pragma unroll
            for (int c = 0; c < 8; c++)
                y[c] = output.alpha ? fmaf(sine_squared(alpha[c] * v[i][c]), inverse[c], v[i][c]) : v[i][c] < 0 ? v[i][c] * job.slope : v[i][c];
            if (places[i] >= 0)
                store_halves(output.values + row + places[i], job.output_part, y);
        }
    }
}

// WARPS of the block's 4 side by side along time, each with TIMES * 16 columns and GROUPS * 8 channels.
template <int WARPS, int TIMES, int GROUPS>
__device__ __forceinline__ void convolve(const Convolutions& jobs)
{
    constexpr int COLUMNS = WARPS * TIMES * 16, THREADS = 128;
    static_assert(4 / WARPS * GROUPS * 8 == TILE, "the warps take all channels");
    extern __shared__ uint4 shared[];
    const uint4* const weights = shared;
    const u32 weights_address = shared_address(shared), columns_address = weights_address + RING * PIECE * sizeof(u16);
    release_next();

    int block = blockIdx.x, number = 0;
    while (block >= jobs.list[number].blocks)
        block -= jobs.list[number++].blocks;
    const Convolution& job = jobs.list[number];
    const int tile = block % job.tiles, stretches = (job.columns + COLUMNS - 1) / COLUMNS;
    const int first = block / job.tiles % stretches * COLUMNS, row = block / job.tiles / stretches;
    if (job.windows)
    {
        const Window& window = job.windows[row];
        if (first + COLUMNS <= window.first * job.frame_columns - job.context || first > window.count * job.frame_columns)
        {
            wait_for_previous(); // as who waits for this kernel relies on those before it, too
            return;
        }
    }
    const int taps = job.taps, steps = job.inputs / CHUNK * taps, ahead = min(taps, RING - 1);
    const int span = COLUMNS + (taps - 1) * job.dilation, length = job.length;
    const u32 plane = span * PITCH * sizeof(u16);

    // What the calling thread copies: 16 bytes of every 128th piece of weights, and of every 32nd column.
    const u16* weight = job.weight + (size_t)tile * steps * PIECE + threadIdx.x * 8;
    const int own_column = threadIdx.x / 4, own_input = threadIdx.x % 4 * 8;
    const u16* input = job.input + row * job.input_row + own_input;
    const long long input_step = 32LL * job.inputs;
    auto fetch_weights = [&](int slot)
    {
        const u32 to = weights_address + (slot * PIECE + threadIdx.x * 8) * sizeof(u16);
#pragma unroll
        for (int i = 0; i < PIECE; i += THREADS * 8)
            fetch(to + i * sizeof(u16), weight + i, true);
        weight += PIECE;
    };
    auto fetch_columns = [&](int chunk)
    {
#pragma unroll
        for (int part = 0; part < PARTS; part++)
        {
            u32 to = columns_address + (chunk % 2 * PARTS + part) * plane + (own_column * PITCH + own_input) * sizeof(u16);
            const u16* base = input + part * job.input_part + chunk * CHUNK;
            int at = first - job.left + own_column;
            const u16* from = base + (long long)at * job.inputs;
            for (int i = own_column; i < span; i += 32)
            {
                const bool there = at >= 0 && at < length;
                fetch(to, there ? from : base, there);
                at += 32;
                to += 32 * PITCH * sizeof(u16);
                from += input_step;
            }
        }
    };

    for (int step = 0; step < ahead; step++)
        fetch_weights(step);
    wait_for_previous();
    fetch_columns(0);
    for (int step = 0; step < ahead; step++)
        end_fetches();

    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const int column = warp % WARPS * TIMES * 16, group = warp / WARPS * GROUPS;
    const u32 own = columns_address + ((column + lane % 16) * PITCH + lane / 16 * 8) * sizeof(u16), tap_step = job.dilation * PITCH * sizeof(u16);
    float sums[TIMES][GROUPS][4] = {};
    u32 reading = own;
    int next_chunk = ahead == taps, next_tap = ahead == taps ? 0 : ahead;
    for (int step = 0, chunk = 0, tap = 0; step < steps; step++)
    {
        await_all_but(ahead - 1);
        __syncthreads();
        if (step + ahead < steps)
        {
            fetch_weights((step + ahead) % RING);
            if (next_tap == 0)
                fetch_columns(next_chunk);
            if (++next_tap == taps)
                next_tap = 0, next_chunk++;
        }
        end_fetches();
        const uint4* piece = weights + step % RING * (PIECE / 8) + group * 32 + lane;
        uint4 b[PARTS][GROUPS];
#pragma unroll
        for (int part = 0; part < PARTS; part++)
#pragma unroll
            for (int i = 0; i < GROUPS; i++)
                b[part][i] = piece[(part * (TILE / 8) + i) * 32];
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            u32 a[PARTS][TIMES][4];
#pragma unroll
            for (int part = 0; part < PARTS; part++)
#pragma unroll
                for (int time = 0; time < TIMES; time++)
                    load_halves(a[part][time], reading + part * plane + (time * 16 * PITCH + half * 16) * sizeof(u16));
            // The small products first.
#pragma unroll
            for (int product = PARTS == 2 ? 2 : 0; product >= 0; product--)
#pragma unroll
                for (int i = 0; i < GROUPS; i++)
#pragma unroll
                    for (int time = 0; time < TIMES; time++)
                    {
                        const uint4 w = b[product == 1 ? PARTS - 1 : 0][i];
                        multiply_add_halves(sums[time][i], a[product == 2 ? PARTS - 1 : 0][time], half ? w.z : w.x, half ? w.w : w.y);
                    }
        }
        reading += tap_step;
        if (++tap == taps)
        {
            tap = 0;
            chunk++;
            reading = own + chunk % 2 * PARTS * plane;
        }
    }

    const long long result = (long long)row * (job.columns * job.rate + job.shift) * job.channels;
    const int all = job.channels * job.rate;
#pragma unroll
    for (int quad = 0; quad < GROUPS / 4; quad++)
    {
        const int output = tile * TILE + group * 8 + quad * 32 + t * 8;
        if (output >= all)
            continue;
        const int phase = output / job.channels, channel = output % job.channels;
        float scale[8], bias[8];
        load_floats(scale, job.scale + output);
        load_floats(bias, job.scale + job.tiles * TILE + output);
        // The second column goes to the first's place, too, where there is a mirror.
#pragma unroll 1
        for (int mirrored = job.shift && first == 0 ? 1 : 0; mirrored >= 0; mirrored--)
        {
#pragma unroll
            for (int time = 0; time < TIMES; time += 2)
            {
                float v[4][8];
                int places[4];
#pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    const int at = first + column + time * 16 + i * 8 + g, to = at * job.rate + phase;
                    const bool there = mirrored ? to == 1 : at < job.columns;
                    places[i] = there ? (mirrored ? 0 : to + job.shift) * job.channels + channel : -1;
#pragma unroll
                    for (int c = 0; c < 8; c++)
                        v[i][c] = fmaf(sums[time + i / 2][quad * 4 + c / 2][i % 2 * 2 + c % 2], scale[c], bias[c]);
                }
                finish(job, places, result, channel, v);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(128, 4) convolve_64(const __grid_constant__ Convolutions jobs) { convolve<2, 2, 4>(jobs); }
extern "C" __global__ void __launch_bounds__(128, 3) convolve_128(const __grid_constant__ Convolutions jobs) { convolve<2, 4, 4>(jobs); }
#if PARTS == 1
extern "C" __global__ void __launch_bounds__(128, 2) convolve_256(const __grid_constant__ Convolutions jobs) { convolve<4, 4, 8>(jobs); }
#endif
