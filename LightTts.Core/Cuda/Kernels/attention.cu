// Attention of single queries over the pages of their sequences: a block takes a row's query heads that share a key head. Its warps take SPAN
// neighbouring positions each, and all of them those after that, with running maxima (flash attention), and put what they have together at the end.
// Which warp takes a position depends on the position alone: a row gets the same bits in any company.
// queries [rows, HEADS, HEAD_DIM] in 32 bits; pages [block, KV_HEADS, PAGE, HEAD_DIM]; y [rows, HEADS * HEAD_DIM].
// Floor: the sequences' keys and values, once, at the memory's speed.
//
// On the tensor cores the query heads are the rows of the product, at most 8 of the 16. The other 8 hold what the rounding to bfloat16 takes from the
// first: queries and weights count with 16 bits of mantissa at no further cost. See multiply_add for what a lane (g, t) has of each matrix.
// In 32 bits: attention_single.cu.

#if BF16
#define GROUP (HEADS / KV_HEADS)
#define ATTEND_WARPS 16
#define SPAN 32

constexpr int KEY_WIDTH = HEAD_DIM >= 32 ? 8 : 4;            // numbers of a key that a lane loads at once
constexpr int KEY_PIECES = HEAD_DIM / (4 * KEY_WIDTH);
constexpr int VALUE_WIDTH = HEAD_DIM >= 64 ? 8 : HEAD_DIM / 8;
constexpr int VALUE_PIECES = HEAD_DIM / (8 * VALUE_WIDTH);
constexpr int STEPS = KEY_WIDTH / 4;                         // products of 16 numbers each in a piece of a key

// Neighbouring numbers of a page.
template <int COUNT>
struct Numbers
{
    u32 words[COUNT / 2];

    __device__ __forceinline__ void load(const element* from)
    {
        if constexpr (COUNT == 8)
        {
            const uint4 all = load_here((const uint4*)from);
            words[0] = all.x, words[1] = all.y, words[2] = all.z, words[3] = all.w;
        }
        else
        {
#pragma unroll
            for (int i = 0; i < COUNT / 2; i++)
                words[i] = ((const u32*)from)[i];
        }
    }

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int i = 0; i < COUNT / 2; i++)
            words[i] = 0;
    }
};

// What a lane has of its warp's positions. Of 8 positions' keys, position g's numbers 4 t / KEY_WIDTH and on; of 16 positions' values, numbers
// g * VALUE_WIDTH and on at positions 2t, 2t + 1, 2t + 8, 2t + 9: in that order they are the inputs of products.
struct Span
{
    Numbers<KEY_WIDTH> keys[SPAN / 8][KEY_PIECES];
    Numbers<VALUE_WIDTH> values[SPAN / 16][4][VALUE_PIECES];

    __device__ __forceinline__ static int value_position(int half, int i, int t) { return half * 16 + i / 2 * 8 + 2 * t + i % 2; }

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int i = 0; i < SPAN / 8 * KEY_PIECES; i++)
            keys[i / KEY_PIECES][i % KEY_PIECES].clear();
#pragma unroll
        for (int i = 0; i < SPAN / 4 * VALUE_PIECES; i++)
            values[i / (4 * VALUE_PIECES)][i / VALUE_PIECES % 4][i % VALUE_PIECES].clear();
    }

    // Loads those of `first` and on that are from `low` up to `high`.
    __device__ __forceinline__ void load(const element* key_pages, const element* value_pages, const int* table, int kv, int first, int low, int high)
    {
        const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
        size_t pages[SPAN / 8]; // of 8 positions each, which lie in one page
#pragma unroll
        for (int i = 0; i < SPAN / 8; i++)
            pages[i] = first + i * 8 < high ? ((size_t)table[(first + i * 8) / PAGE] * KV_HEADS + kv) * PAGE + (first + i * 8) % PAGE : 0;
#pragma unroll
        for (int i = 0; i < SPAN / 8; i++)
            if (first + i * 8 + g >= low && first + i * 8 + g < high)
#pragma unroll
                for (int piece = 0; piece < KEY_PIECES; piece++)
                    keys[i][piece].load(key_pages + (pages[i] + g) * HEAD_DIM + (piece * 4 + t) * KEY_WIDTH);
#pragma unroll
        for (int half = 0; half < SPAN / 16; half++)
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                const int within = value_position(half, i, t);
                if (first + within >= low && first + within < high)
#pragma unroll
                    for (int piece = 0; piece < VALUE_PIECES; piece++)
                        values[half][i][piece].load(value_pages + (pages[half * 2 + i / 2] + within % 8) * HEAD_DIM + (piece * 8 + g) * VALUE_WIDTH);
            }
    }
};

// Two numbers in bfloat16, and what that takes from them.
__device__ __forceinline__ void split(float low, float high, u32& coarse, u32& rest)
{
    coarse = narrow_pair(low, high);
    rest = narrow_pair(low - lower(coarse), high - upper(coarse));
}

// settles: whether all positions before a row's own were there before this step, so that they can be loaded before the wait for the kernel before.
extern "C" __global__ void __launch_bounds__(ATTEND_WARPS * 32) attend(const float* queries, const element* keys, const element* values,
    const int* positions, const int* sequences, const int* tables, int table_blocks, element* y, float scale, int settles)
{
    extern __shared__ float sums[];                            // [warp][GROUP][HEAD_DIM]
    __shared__ float peaks[GROUP][ATTEND_WARPS], totals[GROUP][ATTEND_WARPS], shares[GROUP][ATTEND_WARPS];
    release_next();
    const int row = blockIdx.x, kv = blockIdx.y, lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const int length = positions[row] + 1, settled = settles ? length - 1 : 0;
    const int* table = tables + (size_t)sequences[row] * table_blocks;
    int first = warp * SPAN;
    Span span;
    span.clear();
    span.load(keys, values, table, kv, first, 0, settled);
    wait_for_previous();
    u32 coarse[KEY_PIECES][KEY_WIDTH / 2], rest[KEY_PIECES][KEY_WIDTH / 2];
#pragma unroll
    for (int piece = 0; piece < KEY_PIECES; piece++)
#pragma unroll
        for (int i = 0; i < KEY_WIDTH / 4; i++)
        {
            float4 q = make_float4(0, 0, 0, 0);
            if (g < GROUP && first < length)
                q = load_here((const float4*)(queries + ((size_t)row * HEADS + kv * GROUP + g) * HEAD_DIM + (piece * 4 + t) * KEY_WIDTH) + i);
            split(q.x * scale, q.y * scale, coarse[piece][2 * i], rest[piece][2 * i]);
            split(q.z * scale, q.w * scale, coarse[piece][2 * i + 1], rest[piece][2 * i + 1]);
        }
    if (first < length && first + SPAN > settled)
        span.load(keys, values, table, kv, first, settled, length);
    float peak = -INFINITY, total = 0; // of head g: the total of this lane's positions
    float sum[VALUE_PIECES][VALUE_WIDTH][4] = {};
    while (first < length)
    {
        float score[SPAN / 8][2];      // of head g at positions 8 i + 2t and the next
        float highest = peak;
#pragma unroll
        for (int i = 0; i < SPAN / 8; i++)
        {
            float d[4] = {};
#pragma unroll
            for (int piece = 0; piece < KEY_PIECES; piece++)
#pragma unroll
                for (int step = 0; step < STEPS; step++)
                    multiply_add(d, coarse[piece][2 * step], rest[piece][2 * step], coarse[piece][2 * step + 1], rest[piece][2 * step + 1],
                        span.keys[i][piece].words[2 * step], span.keys[i][piece].words[2 * step + 1]);
#pragma unroll
            for (int j = 0; j < 2; j++)
            {
                score[i][j] = first + i * 8 + 2 * t + j < length ? d[j] + d[2 + j] : -INFINITY;
                highest = fmaxf(highest, score[i][j]); // leaves out what is not a number: that shows in the sum
            }
        }
        highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, 1));
        highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, 2));
        const float shrink = __expf(peak - highest);
        peak = highest;
        total *= shrink;
#pragma unroll
        for (int i = 0; i < VALUE_PIECES * VALUE_WIDTH; i++)
#pragma unroll
            for (int j = 0; j < 4; j++)
                sum[i / VALUE_WIDTH][i % VALUE_WIDTH][j] *= shrink;
#pragma unroll
        for (int half = 0; half < SPAN / 16; half++)
        {
            u32 weights[2], rests[2];
#pragma unroll
            for (int i = 0; i < 2; i++)
            {
                const float p0 = __expf(score[half * 2 + i][0] - peak), p1 = __expf(score[half * 2 + i][1] - peak);
                total += p0 + p1;
                split(p0, p1, weights[i], rests[i]);
            }
#pragma unroll
            for (int piece = 0; piece < VALUE_PIECES; piece++)
#pragma unroll
                for (int j = 0; j < VALUE_WIDTH; j++)
                {
                    // Number j of two positions side by side.
                    auto both = [&](int i)
                    {
                        const u32 one = span.values[half][i][piece].words[j / 2], other = span.values[half][i + 1][piece].words[j / 2];
                        return __byte_perm(one, other, j % 2 ? 0x7632 : 0x5410);
                    };
                    multiply_add(sum[piece][j], weights[0], rests[0], weights[1], rests[1], both(0), both(2));
                }
        }
        first += ATTEND_WARPS * SPAN;
        if (first >= length)
            break;
        span.clear();
        span.load(keys, values, table, kv, first, 0, length);
    }
    total += __shfl_xor_sync(0xffffffffu, total, 1);
    total += __shfl_xor_sync(0xffffffffu, total, 2);
    if (g < GROUP)
    {
        if (t == 0)
        {
            peaks[g][warp] = peak;
            totals[g][warp] = total;
        }
#pragma unroll
        for (int piece = 0; piece < VALUE_PIECES; piece++)
#pragma unroll
            for (int i = 0; i < 2; i++)
#pragma unroll
                for (int j = 0; j < VALUE_WIDTH; j++)
                    sums[(warp * GROUP + g) * HEAD_DIM + (piece * 8 + 2 * t + i) * VALUE_WIDTH + j] = sum[piece][j][i] + sum[piece][j][2 + i];
    }
    __syncthreads();
    // What a warp's sums count in the whole: 16 lanes a head, and lanes that are left over do what others do.
    const int h = min((int)threadIdx.x / ATTEND_WARPS, GROUP - 1), w = threadIdx.x % ATTEND_WARPS;
    float highest = peaks[h][w];
#pragma unroll
    for (int distance = ATTEND_WARPS / 2; distance > 0; distance /= 2)
        highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, distance));
    const float share = __expf(peaks[h][w] - highest);
    float all = totals[h][w] * share;
#pragma unroll
    for (int distance = ATTEND_WARPS / 2; distance > 0; distance /= 2)
        all += __shfl_xor_sync(0xffffffffu, all, distance);
    if (threadIdx.x < GROUP * ATTEND_WARPS)
        shares[h][w] = share / all;
    __syncthreads();
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += ATTEND_WARPS * 32)
    {
        float whole = 0;
#pragma unroll
        for (int other = 0; other < ATTEND_WARPS; other++)
            whole += sums[other * GROUP * HEAD_DIM + i] * shares[i / HEAD_DIM][other];
        // A row that is not there sees nothing.
        y[(size_t)row * (HEADS * HEAD_DIM) + kv * GROUP * HEAD_DIM + i] = narrow(length > 0 ? whole : 0);
    }
}
#endif
