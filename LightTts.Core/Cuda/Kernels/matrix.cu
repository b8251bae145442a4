// The matrix products of a transformer's layer for a few rows (matrix.cuh), with what stands before and after them: the norm's scale, biases, rotary
// positions and the append to the KV cache; residuals; SiLU.

// Brings the pages of the positions before, which attention reads next, into the second-level cache: a warp a page of a row at a time.
__device__ __forceinline__ void bring_pages(const element* keys, const element* values, const int* positions, const int* sequences, const int* tables,
    int table_blocks, int first, int end)
{
    constexpr int SIZE = KV_HEADS * PAGE * HEAD_DIM;
    if (threadIdx.x % 32 != 0)
        return;
    for (int i = blockIdx.x * WARPS_HIDDEN + threadIdx.x / 32; i < (end - first) * table_blocks; i += gridDim.x * WARPS_HIDDEN)
    {
        const int row = first + i / table_blocks, page = i % table_blocks;
        if (page * PAGE >= positions[row])
            continue;
        const size_t at = (size_t)tables[(size_t)sequences[row] * table_blocks + page] * SIZE;
        bring_ahead(keys + at, SIZE * sizeof(element));
        bring_ahead(values + at, SIZE * sizeof(element));
    }
}

// Queries, keys and values: [rows, HIDDEN] -> q [rows, HEADS * HEAD_DIM] in 32 bits, k and v into the KV cache, both turned by their position.
// weight [(HEADS + 2 KV_HEADS) * HEAD_DIM, HIDDEN], the two numbers that turn together side by side; turns [positions, HEAD_DIM / 2, (cos, sin)].
// Pages: [block, KV_HEADS, PAGE, HEAD_DIM]; a row without a position (-1) writes none.
// Floor: the weights' bytes at the memory's speed.
template <int ROWS>
__device__ void project(const element* x, const float* squares, const element* weight, const element* bias, const float* turns, const int* positions,
    const int* sequences, const int* tables, int table_blocks, float* queries, element* keys, element* values, int count, float epsilon,
    const void* ahead, u32 ahead_bytes)
{
    constexpr int STEPS = (ROWS * 8 + WARPS_HIDDEN * 32 - 1) / (WARPS_HIDDEN * 32);
    extern __shared__ float shared[];
    __shared__ float scales[ROWS];
    release_next();
    const int first = blockIdx.x * 16, g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    Weights<HIDDEN, WARPS_HIDDEN, 2> weights({ weight + (size_t)(first + g) * HIDDEN, weight + (size_t)(first + g + 8) * HIDDEN });
    bring_near(ahead, ahead_bytes);
    if (ROWS > 16) // of few rows they stay there from step to step
        bring_pages(keys, values, positions, sequences, tables, table_blocks, rows.first, min(count, rows.first + ROWS));
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
__device__ void add_product(const element* y, const element* weight, const float* norm, float* x, element* normed, float* squares, int count,
    const void* ahead, u32 ahead_bytes)
{
    constexpr int STEPS = (ROWS * 4 + WARPS * 32 - 1) / (WARPS * 32);
    extern __shared__ float shared[];
    release_next();
    const int tile = blockIdx.x, g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    Weights<INPUTS, WARPS, 1> weights({ weight + (size_t)(tile * 8 + g) * INPUTS });
    bring_near(ahead, ahead_bytes);
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
    Weights<HIDDEN, WARPS_HIDDEN, 2 * PAIRS, true> weights(from, shared + WARPS_HIDDEN * 2 * PAIRS * ROWS * 8);
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

// Logits: rows `map` of [.., HIDDEN] -> [count, LOGITS] in 32 bits. Outputs need be no multiple of 8; bias may be null.
// Floor: the weights' bytes at the memory's speed.
template <int TILES, int ROWS>
__device__ void head(const element* x, const float* squares, const int* map, const element* weight, const element* bias, float* logits, int count,
    float epsilon)
{
    constexpr int WIDTH = TILES * 8;
    extern __shared__ float shared[];
    __shared__ float scales[ROWS];
    release_next();
    const int first = blockIdx.x * WIDTH, g = threadIdx.x % 32 / 4;
    const element* from[TILES];
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
        from[tile] = weight + (size_t)min(first + tile * 8 + g, LOGITS - 1) * HIDDEN;
    Weights<HIDDEN, WARPS_HIDDEN, TILES> weights(from);
    const Rows rows = { count, (int)blockIdx.y * ROWS, map };
    wait_for_previous();
    Scales<WARPS_HIDDEN, ROWS> parts;
    multiply<HIDDEN, WARPS_HIDDEN, TILES, ROWS>(shared, weights, x, rows, [&] { parts.load(squares, rows); });
    parts.share(scales, epsilon);
    __syncthreads();
    for (int i = threadIdx.x; i < WIDTH * ROWS; i += blockDim.x)
    {
        const int within = i % WIDTH, at = i / WIDTH, row = rows.first + at, output = first + within;
        if (row < count && output < LOGITS)
            logits[(size_t)row * LOGITS + output] =
                gathered<WARPS_HIDDEN, TILES, ROWS>(shared, within / 8, within % 8, at) * scales[at] + (bias ? widen(bias[output]) : 0);
    }
}

#define KERNELS(ROWS, PAIRS, BLOCKS) \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN) project_##ROWS(const element* x, const float* squares, const element* weight, \
        const element* bias, const float* turns, const int* positions, const int* sequences, const int* tables, int table_blocks, float* queries, \
        element* keys, element* values, int count, float epsilon, const void* ahead, u32 ahead_bytes) \
    { \
        project<ROWS>(x, squares, weight, bias, turns, positions, sequences, tables, table_blocks, queries, keys, values, count, epsilon, ahead, \
            ahead_bytes); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_ATTENDED) add_attended_##ROWS(const element* y, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count, const void* ahead, u32 ahead_bytes) \
    { \
        add_product<HEADS * HEAD_DIM, WARPS_ATTENDED, ROWS>(y, weight, norm, x, normed, squares, count, ahead, ahead_bytes); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_INNER) add_gated_##ROWS(const element* y, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count, const void* ahead, u32 ahead_bytes) \
    { \
        add_product<INNER, WARPS_INNER, ROWS>(y, weight, norm, x, normed, squares, count, ahead, ahead_bytes); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN, BLOCKS) gate_##ROWS(const element* x, const float* squares, \
        const element* weight, element* y, int count, float epsilon) \
    { \
        gate<PAIRS, ROWS>(x, squares, weight, y, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN) head_##ROWS(const element* x, const float* squares, const int* map, \
        const element* weight, const element* bias, float* logits, int count, float epsilon) \
    { \
        head<2 * PAIRS, ROWS>(x, squares, map, weight, bias, logits, count, epsilon); \
    }

KERNELS(8, 1, BF16 ? 5 : 1)
KERNELS(16, 1, BF16 ? 5 : 1)
KERNELS(32, 2, BF16 ? 2 : 1)
