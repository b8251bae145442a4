// y = W x for a few rows at a time, as decoding has them: W is read once, from memory to registers, and multiplied on the tensor cores. With it what
// stands before and after it in a layer: the norm's scale, biases, rotary positions and the append to the KV cache; residuals; SiLU.
//
// A block computes 8 * TILES outputs for ROWS rows. Its warps share the inputs, each has as many neighbouring pieces of 32 of them, and a lane takes 8
// consecutive inputs with one load, of weights and of rows alike: which of the tensor cores' 16 inputs they count as is the same for both, so that no
// data changes lanes. The order of all sums depends on the number of inputs alone: a row gets the same bits in any company.
//
// RMSNorm is split: whoever writes the residual stream x writes x * weight for the next product, too, with the sums of the squares of its 8 outputs;
// the product is scaled by 1 / rms afterwards.
//
// What does not come from the kernel before (weights, biases, positions) is loaded before the wait for it, and all that does directly behind it.

#define CHUNK 32

struct Rows
{
    int count;          // rows that are there; more are computed, and not written
    int first;          // of this block
    const int* map;     // where in x they lie, or null: in their order

    __device__ __forceinline__ int place(int i) const
    {
        const int row = first + i;
        return map ? map[min(row, count - 1)] : row;
    }
};

// How a block's warps share a product's inputs.
template <int INPUTS, int WARPS>
struct Plan
{
    static constexpr int PIECES = INPUTS / CHUNK;
    static constexpr int TURNS = (PIECES + WARPS - 1) / WARPS; // pieces of a warp
    static constexpr bool EVEN = PIECES == WARPS * TURNS;
    static constexpr int CHAINS = TURNS > 8 ? 2 : 1;           // sums of a warp: one after the other they would wait for each other

    // Whether the calling warp has a piece in this turn.
    static __device__ __forceinline__ bool has(int turn) { return EVEN || (int)threadIdx.x / 32 * TURNS + turn < PIECES; }

    // Where the calling lane's inputs of its warp's first piece are.
    static __device__ __forceinline__ int first() { return (int)threadIdx.x / 32 * TURNS * CHUNK + (int)threadIdx.x % 4 * 8; }
};

#if BF16
// The calling lane's weights, as many as go into registers.
template <int INPUTS, int WARPS, int TILES>
struct Weights
{
    using plan = Plan<INPUTS, WARPS>;
    static constexpr int MOST = 20 / TILES;
    static constexpr int DEPTH = plan::TURNS < MOST ? plan::TURNS : MOST;

    const element* from[TILES];
    uint4 ahead[DEPTH][TILES];

    __device__ __forceinline__ void load(int turn)
    {
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
            ahead[turn % DEPTH][tile] = load_here((const uint4*)(from[tile] + turn * CHUNK));
    }

    // rows: of the weight, an output's each.
    __device__ __forceinline__ explicit Weights(const element* const (&rows)[TILES])
    {
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
            from[tile] = rows[tile] + plan::first();
#pragma unroll
        for (int turn = 0; turn < DEPTH; turn++)
            if (plan::has(turn))
                load(turn);
    }
};

// The sums of the calling warp's pieces, to shared memory: [warp][tile][ROWS][8 outputs]. `meanwhile` is done before that.
template <int INPUTS, int WARPS, int TILES, int ROWS, class Action>
__device__ __forceinline__ void multiply(float* shared, Weights<INPUTS, WARPS, TILES>& weights, const element* x, const Rows& rows, Action meanwhile)
{
    using plan = Plan<INPUTS, WARPS>;
    using own = Weights<INPUTS, WARPS, TILES>;
    constexpr int HALVES = ROWS / 8, BLOCKS = (HALVES + 1) / 2; // a tensor core's product takes 16 rows
    constexpr int MOST = HALVES == 1 ? 19 : HALVES == 2 ? 8 : 2, DEPTH = plan::TURNS < MOST ? plan::TURNS : MOST;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const element* row[HALVES];
    uint4 ahead[DEPTH][HALVES];
#pragma unroll
    for (int half = 0; half < HALVES; half++)
        row[half] = x + (size_t)rows.place(half * 8 + g) * INPUTS + plan::first();
    auto load = [&](int turn)
    {
#pragma unroll
        for (int half = 0; half < HALVES; half++)
            ahead[turn % DEPTH][half] = load_here((const uint4*)(row[half] + turn * CHUNK));
    };
    meanwhile();
#pragma unroll
    for (int turn = 0; turn < DEPTH; turn++)
        if (plan::has(turn))
            load(turn);
    // The sums begin with a zero that is made of the last of these loads: the compiler, who does not know that no count is negative, cannot put
    // products, which wait, in between.
    const float zero = __uint_as_float(ahead[DEPTH - 1][HALVES - 1].w & (u32)(rows.count >> 31));
    float sums[plan::CHAINS][TILES][BLOCKS][4];
#pragma unroll
    for (int i = 0; i < plan::CHAINS * TILES * BLOCKS * 4; i++)
        sums[i / (TILES * BLOCKS * 4)][i / (BLOCKS * 4) % TILES][i / 4 % BLOCKS][i % 4] = zero;
#pragma unroll
    for (int turn = 0; turn < plan::TURNS; turn++)
    {
        if (!plan::has(turn))
            break;
#pragma unroll
        for (int block = 0; block < BLOCKS; block++)
        {
            const uint4 a = ahead[turn % DEPTH][2 * block], none = { 0, 0, 0, 0 };
            const uint4 b = HALVES == 1 ? none : ahead[turn % DEPTH][2 * block + (HALVES > 1)];
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                const uint4 w = weights.ahead[turn % own::DEPTH][tile];
                auto& sum = sums[turn % plan::CHAINS][tile][block];
                multiply_add(sum, a.x, b.x, a.y, b.y, w.x, w.y);
                multiply_add(sum, a.z, b.z, a.w, b.w, w.z, w.w);
            }
        }
        if (turn + DEPTH < plan::TURNS && plan::has(turn + DEPTH))
            load(turn + DEPTH);
        if (turn + own::DEPTH < plan::TURNS && plan::has(turn + own::DEPTH))
            weights.load(turn + own::DEPTH);
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int half = 0; half < HALVES; half++)
        {
            auto whole = [&](int i)
            {
                float sum = sums[0][tile][half / 2][half % 2 * 2 + i];
                for (int chain = 1; chain < plan::CHAINS; chain++)
                    sum += sums[chain][tile][half / 2][half % 2 * 2 + i];
                return sum;
            };
            *(float2*)(shared + ((warp * TILES + tile) * ROWS + half * 8 + g) * 8 + 2 * t) = make_float2(whole(0), whole(1));
        }
}
#else
template <int INPUTS, int WARPS, int TILES>
struct Weights
{
    const element* from[TILES];

    __device__ __forceinline__ explicit Weights(const element* const (&rows)[TILES])
    {
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
            from[tile] = rows[tile] + Plan<INPUTS, WARPS>::first();
    }
};

// The same in 32 bits on the ordinary units: a lane sums its own inputs of an output for 8 rows at a time, and the 4 lanes of an output add theirs at
// the end.
template <int INPUTS, int WARPS, int TILES, int ROWS, class Action>
__device__ __forceinline__ void multiply(float* shared, Weights<INPUTS, WARPS, TILES>& weights, const element* x, const Rows& rows, Action meanwhile)
{
    using plan = Plan<INPUTS, WARPS>;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    meanwhile();
#pragma unroll 1
    for (int first = 0; first < ROWS; first += 8)
    {
        float part[TILES][8] = {};
        const element* row[8];
#pragma unroll
        for (int i = 0; i < 8; i++)
            row[i] = x + (size_t)rows.place(first + i) * INPUTS + plan::first();
        for (int turn = 0; turn < plan::TURNS && plan::has(turn); turn++)
        {
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                const int at = turn * CHUNK + half * 4;
                float4 b[8];
#pragma unroll
                for (int i = 0; i < 8; i++)
                    b[i] = *(const float4*)(row[i] + at);
#pragma unroll
                for (int tile = 0; tile < TILES; tile++)
                {
                    const float4 a = *(const float4*)(weights.from[tile] + at);
#pragma unroll
                    for (int i = 0; i < 8; i++)
                        part[tile][i] += a.x * b[i].x + a.y * b[i].y + a.z * b[i].z + a.w * b[i].w;
                }
            }
        }
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
            for (int i = 0; i < 8; i++)
            {
                float sum = part[tile][i];
                sum += __shfl_xor_sync(0xffffffffu, sum, 1);
                sum += __shfl_xor_sync(0xffffffffu, sum, 2);
                if (i / 2 == t)
                    shared[((warp * TILES + tile) * ROWS + first + i) * 8 + g] = sum;
            }
    }
}
#endif

// The whole sum of an output of a tile for a row.
template <int WARPS, int TILES, int ROWS>
__device__ __forceinline__ float gathered(const float* shared, int tile, int output, int row)
{
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < WARPS; warp++)
        sum += shared[((warp * TILES + tile) * ROWS + row) * 8 + output];
    return sum;
}

// 1 / rms of the rows of a block, from the sums of squares [row][HIDDEN / 8]. Sixteen lanes take a row.
template <int WARPS, int ROWS>
struct Scales
{
    static constexpr int LANES = 16, LOADS = (HIDDEN / 32 + LANES - 1) / LANES, AT_ONCE = WARPS * 32 / LANES, STEPS = (ROWS + AT_ONCE - 1) / AT_ONCE;

    float4 part[STEPS][LOADS];

    __device__ __forceinline__ void load(const float* squares, const Rows& rows)
    {
        const int lane = threadIdx.x % LANES;
#pragma unroll
        for (int step = 0; step < STEPS; step++)
        {
            const int i = step * AT_ONCE + threadIdx.x / LANES;
            const bool there = i < ROWS && rows.first + i < rows.count;
            const float4* own = (const float4*)(squares + (size_t)(there ? rows.place(i) : 0) * (HIDDEN / 8)) + lane;
#pragma unroll
            for (int at = 0; at < LOADS; at++)
                part[step][at] = there && at * LANES + lane < HIDDEN / 32 ? load_here(own + at * LANES) : make_float4(0, 0, 0, 0);
        }
    }

    // Into shared memory, [ROWS].
    __device__ __forceinline__ void share(float* scales, float epsilon)
    {
#pragma unroll
        for (int step = 0; step < STEPS; step++)
        {
            const int i = step * AT_ONCE + threadIdx.x / LANES;
            float sum = 0;
#pragma unroll
            for (int at = 0; at < LOADS; at++)
                sum += part[step][at].x + part[step][at].y + (part[step][at].z + part[step][at].w);
#pragma unroll
            for (int distance = 1; distance < LANES; distance *= 2)
                sum += __shfl_xor_sync(0xffffffffu, sum, distance);
            if (threadIdx.x % LANES == 0 && i < ROWS)
                scales[i] = rsqrtf(sum / HIDDEN + epsilon);
        }
    }
};

// Queries, keys and values: [rows, HIDDEN] -> q [rows, HEADS * HEAD_DIM] in 32 bits, k and v into the KV cache, both turned by their position.
// weight [(HEADS + 2 KV_HEADS) * HEAD_DIM, HIDDEN], the two numbers that turn together side by side; turns [positions, HEAD_DIM / 2, (cos, sin)].
// Pages: [block, KV_HEADS, PAGE, HEAD_DIM]; a row without a position (-1) writes none.
// Floor: the weights' bytes at the memory's speed.
template <int ROWS>
__device__ void project(const element* x, const float* squares, const element* weight, const element* bias, const float* turns, const int* positions,
    const int* sequences, const int* tables, int table_blocks, float* queries, element* keys, element* values, int count, float epsilon)
{
    constexpr int STEPS = (ROWS * 8 + WARPS_HIDDEN * 32 - 1) / (WARPS_HIDDEN * 32);
    extern __shared__ float shared[];
    __shared__ float scales[ROWS];
    release_next();
    const int first = blockIdx.x * 16, g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    Weights<HIDDEN, WARPS_HIDDEN, 2> weights({ weight + (size_t)(first + g) * HIDDEN, weight + (size_t)(first + g + 8) * HIDDEN });
    // A lane's results: two outputs of a row.
    const int pair = threadIdx.x % 8, output = first + 2 * pair, head = output / HEAD_DIM, within = output % HEAD_DIM;
    const float bias0 = widen(bias[output]), bias1 = widen(bias[output + 1]);
    int position[STEPS], block[STEPS];
    float2 turn[STEPS];
#pragma unroll
    for (int step = 0; step < STEPS; step++)
    {
        const int row = rows.first + (step * WARPS_HIDDEN * 32 + (int)threadIdx.x) / 8;
        const bool there = row < min(count, rows.first + ROWS);
        position[step] = there ? positions[row] : -1;
        turn[step] = make_float2(1, 0);
        block[step] = 0;
        if (position[step] >= 0)
        {
            block[step] = tables[(size_t)sequences[row] * table_blocks + position[step] / PAGE];
            if (head < HEADS + KV_HEADS)
                turn[step] = load_here((const float2*)(turns + (size_t)position[step] * HEAD_DIM + within));
        }
    }
    wait_for_previous();
    Scales<WARPS_HIDDEN, ROWS> parts;
    multiply<HIDDEN, WARPS_HIDDEN, 2, ROWS>(shared, weights, x, rows, [&] { parts.load(squares, rows); });
    parts.share(scales, epsilon);
    __syncthreads();
#pragma unroll
    for (int step = 0; step < STEPS; step++)
    {
        if (position[step] < 0)
            continue;
        const int at = (step * WARPS_HIDDEN * 32 + (int)threadIdx.x) / 8, row = rows.first + at;
        const float y0 = gathered<WARPS_HIDDEN, 2, ROWS>(shared, pair / 4, 2 * pair % 8, at) * scales[at] + bias0;
        const float y1 = gathered<WARPS_HIDDEN, 2, ROWS>(shared, pair / 4, 2 * pair % 8 + 1, at) * scales[at] + bias1;
        const float turned0 = y0 * turn[step].x - y1 * turn[step].y, turned1 = y0 * turn[step].y + y1 * turn[step].x;
        if (head < HEADS)
        {
            *(float2*)(queries + (size_t)row * (HEADS * HEAD_DIM) + output) = make_float2(turned0, turned1);
            continue;
        }
        const int kv = (head - HEADS) % KV_HEADS;
        element* page = (head < HEADS + KV_HEADS ? keys : values)
            + (((size_t)block[step] * KV_HEADS + kv) * PAGE + position[step] % PAGE) * HEAD_DIM + within;
        page[0] = narrow(turned0);
        page[1] = narrow(turned1);
    }
}

// The residual stream: x [rows, HIDDEN] += W y for y [rows, INPUTS], with what the next product asks for: x * norm, and sums of squares.
// Floor: the weights' bytes at the memory's speed.
template <int INPUTS, int WARPS, int ROWS>
__device__ void add_product(const element* y, const element* weight, const float* norm, float* x, element* normed, float* squares, int count)
{
    constexpr int STEPS = (ROWS * 4 + WARPS * 32 - 1) / (WARPS * 32);
    extern __shared__ float shared[];
    release_next();
    const int tile = blockIdx.x, g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    Weights<INPUTS, WARPS, 1> weights({ weight + (size_t)(tile * 8 + g) * INPUTS });
    // A lane's results: two outputs of a row.
    const int pair = threadIdx.x % 4, output = tile * 8 + 2 * pair;
    const float2 scale = load_here((const float2*)(norm + output));
    float2 before[STEPS];
    wait_for_previous();
    multiply<INPUTS, WARPS, 1, ROWS>(shared, weights, y, rows, [&]
    {
#pragma unroll
        for (int step = 0; step < STEPS; step++)
        {
            const int at = (step * WARPS * 32 + (int)threadIdx.x) / 4, row = rows.first + at;
            before[step] = at < ROWS && row < count ? load_here((const float2*)(x + (size_t)row * HIDDEN + output)) : make_float2(0, 0);
        }
    });
    __syncthreads();
#pragma unroll
    for (int step = 0; step < STEPS; step++)
    {
        const int at = (step * WARPS * 32 + (int)threadIdx.x) / 4, row = rows.first + at;
        const bool there = at < ROWS && row < count;
        float square = 0;
        if (there)
        {
            const float x0 = before[step].x + gathered<WARPS, 1, ROWS>(shared, 0, 2 * pair, at);
            const float x1 = before[step].y + gathered<WARPS, 1, ROWS>(shared, 0, 2 * pair + 1, at);
            *(float2*)(x + (size_t)row * HIDDEN + output) = make_float2(x0, x1);
            normed[(size_t)row * HIDDEN + output] = narrow(x0 * scale.x);
            normed[(size_t)row * HIDDEN + output + 1] = narrow(x1 * scale.y);
            square = x0 * x0 + x1 * x1;
        }
        // The 4 lanes of a row are side by side.
        square += __shfl_xor_sync(0xffffffffu, square, 1);
        square += __shfl_xor_sync(0xffffffffu, square, 2);
        if (there && pair == 0)
            squares[(size_t)row * (HIDDEN / 8) + tile] = square;
    }
}

// SwiGLU: [rows, HIDDEN] -> silu(gate) * up, [rows, INNER]. weight [2 INNER, HIDDEN]: gate, then up; PAIRS tiles of each.
// Floor: the weights' bytes at the memory's speed.
template <int PAIRS, int ROWS>
__device__ void gate(const element* x, const float* squares, const element* weight, element* y, int count, float epsilon)
{
    constexpr int WIDTH = PAIRS * 8;
    extern __shared__ float shared[];
    __shared__ float scales[ROWS];
    release_next();
    const int g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    const element* from[2 * PAIRS];
#pragma unroll
    for (int pair = 0; pair < PAIRS; pair++)
    {
        const int channel = min((int)blockIdx.x * WIDTH + pair * 8, INNER - 8) + g;
        from[2 * pair] = weight + (size_t)channel * HIDDEN;
        from[2 * pair + 1] = weight + (size_t)(INNER + channel) * HIDDEN;
    }
    Weights<HIDDEN, WARPS_HIDDEN, 2 * PAIRS> weights(from);
    wait_for_previous();
    Scales<WARPS_HIDDEN, ROWS> parts;
    multiply<HIDDEN, WARPS_HIDDEN, 2 * PAIRS, ROWS>(shared, weights, x, rows, [&] { parts.load(squares, rows); });
    parts.share(scales, epsilon);
    __syncthreads();
    for (int i = threadIdx.x; i < WIDTH * ROWS; i += blockDim.x)
    {
        const int within = i % WIDTH, at = i / WIDTH, row = rows.first + at, channel = (int)blockIdx.x * WIDTH + within;
        if (row >= count || channel >= INNER)
            continue;
        const float gated = gathered<WARPS_HIDDEN, 2 * PAIRS, ROWS>(shared, within / 8 * 2, within % 8, at) * scales[at];
        const float up = gathered<WARPS_HIDDEN, 2 * PAIRS, ROWS>(shared, within / 8 * 2 + 1, within % 8, at) * scales[at];
        y[(size_t)row * INNER + channel] = narrow(gated / (1 + __expf(-gated)) * up);
    }
}

// Logits: rows `map` of [.., HIDDEN] -> [count, LOGITS] in 32 bits. Outputs need be no multiple of 16; bias may be null.
// Floor: the weights' bytes at the memory's speed.
template <int ROWS>
__device__ void head(const element* x, const float* squares, const int* map, const element* weight, const element* bias, float* logits, int count,
    float epsilon)
{
    extern __shared__ float shared[];
    __shared__ float scales[ROWS];
    release_next();
    const int first = blockIdx.x * 16, g = threadIdx.x % 32 / 4;
    Weights<HIDDEN, WARPS_HIDDEN, 2> weights({ weight + (size_t)min(first + g, LOGITS - 1) * HIDDEN, weight + (size_t)min(first + g + 8, LOGITS - 1) * HIDDEN });
    const Rows rows = { count, (int)blockIdx.y * ROWS, map };
    wait_for_previous();
    Scales<WARPS_HIDDEN, ROWS> parts;
    multiply<HIDDEN, WARPS_HIDDEN, 2, ROWS>(shared, weights, x, rows, [&] { parts.load(squares, rows); });
    parts.share(scales, epsilon);
    __syncthreads();
    for (int i = threadIdx.x; i < 16 * ROWS; i += blockDim.x)
    {
        const int within = i % 16, at = i / 16, row = rows.first + at, output = first + within;
        if (row < count && output < LOGITS)
            logits[(size_t)row * LOGITS + output] =
                gathered<WARPS_HIDDEN, 2, ROWS>(shared, within / 8, within % 8, at) * scales[at] + (bias ? widen(bias[output]) : 0);
    }
}

#define KERNELS(ROWS, PAIRS, BLOCKS) \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN) project_##ROWS(const element* x, const float* squares, const element* weight, \
        const element* bias, const float* turns, const int* positions, const int* sequences, const int* tables, int table_blocks, float* queries, \
        element* keys, element* values, int count, float epsilon) \
    { \
        project<ROWS>(x, squares, weight, bias, turns, positions, sequences, tables, table_blocks, queries, keys, values, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_ATTENDED) add_attended_##ROWS(const element* y, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count) \
    { \
        add_product<HEADS * HEAD_DIM, WARPS_ATTENDED, ROWS>(y, weight, norm, x, normed, squares, count); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_INNER) add_gated_##ROWS(const element* y, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count) \
    { \
        add_product<INNER, WARPS_INNER, ROWS>(y, weight, norm, x, normed, squares, count); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN, BLOCKS) gate_##ROWS(const element* x, const float* squares, \
        const element* weight, element* y, int count, float epsilon) \
    { \
        gate<PAIRS, ROWS>(x, squares, weight, y, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN) head_##ROWS(const element* x, const float* squares, const int* map, \
        const element* weight, const element* bias, float* logits, int count, float epsilon) \
    { \
        head<ROWS>(x, squares, map, weight, bias, logits, count, epsilon); \
    }

KERNELS(8, 1, BF16 ? 4 : 1)
KERNELS(16, 1, BF16 ? 4 : 1)
KERNELS(32, 2, BF16 ? 2 : 1)
