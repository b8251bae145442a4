// The positional convolutions, tap by tap a product of 64 frames, the 64 inputs of a group of channels and its 64 outputs, by 4 warps together
// (flow_embed.cu has those of few frames, of other widths and of other cards). The weights go through shared memory, 2 taps at a time, for SETS times
// 64 frames.

#if BF16 && HEAD_DIM == 64 && HAS_GROUPS && DIM == 1024

constexpr int WIDE_TAPS = CONV_TAIL + 1;
constexpr int WIDE_ROWS = TILE + CONV_TAIL;                         // frames that 64 frames see
constexpr int WIDE_WINDOW = (WIDE_ROWS + 7) / 8 * 8 * CONV_GROUP;
constexpr int WIDE_STEP = 2, WIDE_STAGES = 8, WIDE_STEPS = CONV_TAPS / WIDE_STEP; // taps of a stage
constexpr int WIDE_STAGE = WIDE_STEP * TILE_ELEMENTS;
constexpr int WIDE_AHEAD = WIDE_STAGES - 2;                         // steps: the last one's products may be under way yet

// mish(convolution + bias) of SETS times 64 frames and a group's outputs. weight [DIM, CONV_TAPS, CONV_GROUP].
template <int SETS, typename Finish>
__device__ __forceinline__ void convolve_wide(const Frames& from, const element* weight, const float* bias, const Finish& finish)
{
    constexpr int THREADS = 128 * SETS, PITCH = CONV_GROUP + 8; // of sums: so that 4 rows lie in different banks
    extern __shared__ __align__(1024) uint4 shared[];
    element* const ring = (element*)shared; // [stage][tap][output][input]
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4, set = threadIdx.x / 128, channel = blockIdx.x * CONV_GROUP;
    element* const window = ring + WIDE_STAGES * WIDE_STAGE + set * WIDE_WINDOW; // [frame][channel]
    const int tiles = (from.frames + TILE - 1) / TILE, tile = blockIdx.y * SETS + set, block = tile / tiles, first = tile % tiles * TILE;
    const bool there = block < 2 * from.rows;
    release_next();

    auto fetch = [&](int step)
    {
        element* const stage = ring + step % WIDE_STAGES * WIDE_STAGE;
#pragma unroll
        for (int i = 0; i < WIDE_STEP * 4 / SETS; i++)
        {
            const int item = threadIdx.x + i * THREADS, part = item % 8, output = item / 8 % TILE, tap = item / 8 / TILE;
            copy_async(piece(stage + tap * TILE_ELEMENTS, output, part),
                weight + ((size_t)(channel + output) * CONV_TAPS + step * WIDE_STEP + tap) * CONV_GROUP + part * 8);
        }
        commit_copies();
    };

#pragma unroll
    for (int step = 0; step < WIDE_AHEAD; step++)
        fetch(step); // weights are nobody's result
    wait_for_previous();
    for (int i = threadIdx.x % 128; i < WIDE_ROWS * 8; i += 128)
    {
        const int frame = first - CONV_TAIL + i / 8;
        const element* const source = there && frame < from.frames ? from.at(block, frame) : nullptr;
        copy_async_or_zero(piece(window, i / 8, i % 8), (source != nullptr ? source : from.values) + channel + i % 8 * 8, source != nullptr);
    }
    commit_copies();
    wait_copies<0>();
    publish_tiles();
    __syncthreads();

    // What a lane holds of 16 frames and a tap's 64 inputs, for the next tap while the last one's product is under way.
    u32 inputs[2][4][4];
    auto take = [&](u32 (&x)[4][4], int tap)
    {
#pragma unroll
        for (int k = 0; k < 4; k++)
            load_matrices(x[k], piece(window, tap + warp * 16 + lane % 16, k * 2 + lane / 16));
    };
    take(inputs[0], 0);
    float sums[8][4] = {};
    for (int step = 0; step < WIDE_STEPS; step++)
    {
        if (step > 0)
        {
            wait_copies<WIDE_AHEAD - 1>();
            publish_tiles();
            __syncthreads(); // this step's weights are there, and of the step before the last nobody reads any
        }
        if (step + WIDE_AHEAD < WIDE_STEPS)
            fetch(step + WIDE_AHEAD);
        else
            commit_copies();
#pragma unroll
        for (int i = 0; i < WIDE_STEP; i++)
        {
            const int tap = step * WIDE_STEP + i;
            if (tap == WIDE_TAPS) // its weights are zeros
                break;
            const u64 weights = describe_tile(ring + step % WIDE_STAGES * WIDE_STAGE + i * TILE_ELEMENTS);
            begin_products();
#pragma unroll
            for (int k = 0; k < 4; k++)
                multiply_group<false, true>(sums, inputs[i][k], weights + k * (32 >> 4));
            commit_products();
            wait_products<1>();
            if (tap + 1 < WIDE_TAPS)
                take(inputs[(i + 1) % 2], tap + 1);
        }
    }
    finish_products(sums);

    __syncthreads(); // nobody reads weights

    float* const rows = (float*)shared + threadIdx.x / 32 * (16 * PITCH); // of this warp
#pragma unroll
    for (int n = 0; n < 8; n++)
#pragma unroll
        for (int half = 0; half < 2; half++)
            *(float2*)(rows + (lane / 4 + half * 8) * PITCH + n * 8 + lane % 4 * 2) = make_float2(sums[n][2 * half], sums[n][2 * half + 1]);
    __syncwarp();
    if (!there)
        return;
    const int output = channel + lane * 2, own_first = first + warp * 16;
    const float2 biases = *(const float2*)(bias + output);
    element* const own = finish.begin(block);
    float2 before[16];
#pragma unroll
    for (int i = 0; i < 16; i++)
        before[i] = finish.before(block, own_first + i, output);
#pragma unroll
    for (int i = 0; i < 16; i++)
    {
        const float2 sum = *(const float2*)(rows + i * PITCH + lane * 2);
        finish.finish(own, block, own_first + i, output, before[i], mish(sum.x + biases.x), mish(sum.y + biases.y));
    }
}

#define CONVOLVE_WIDE(SETS) \
    extern "C" __global__ void __launch_bounds__(128 * SETS, 1) flow_convolve_wide_##SETS(const element* values, int stride, \
        const long long* places, int columns, int rows, int frames, const element* weight, const float* bias, element* next) \
    { \
        convolve_wide<SETS>(Frames { (element*)values, stride, places, columns, rows, frames }, weight, bias, \
            Convolved { Frames { next, stride, places, columns, rows, frames } }); \
    } \
    extern "C" __global__ void __launch_bounds__(128 * SETS, 1) flow_convolve_add_wide_##SETS(const element* values, int stride, \
        const long long* places, int columns, int rows, int frames, const element* weight, const float* bias, float* h, const float* scale, \
        element* scaled, float2* moments) \
    { \
        convolve_wide<SETS>(Frames { (element*)values, stride, places, columns, rows, frames }, weight, bias, \
            Embedded { h, scale, scaled, moments, frames }); \
    }

CONVOLVE_WIDE(1)
CONVOLVE_WIDE(2)
CONVOLVE_WIDE(4)

#endif
