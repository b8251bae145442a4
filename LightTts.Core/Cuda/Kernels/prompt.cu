// What stands around the matrix products of many rows, as prompts have them, where the products are cuBLAS'. See matrix.cuh for the split of RMSNorm
// and for what each of these does there. A block a row.

// The sum of a number of every lane, for all of them.
__device__ __forceinline__ float sum_of_row(float own, float* shared)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        own += __shfl_xor_sync(0xffffffffu, own, distance);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = own;
    __syncthreads();
    float sum = 0;
    for (int warp = 0; warp < blockDim.x / 32; warp++)
        sum += shared[warp];
    return sum;
}

// 1 / rms of the block's row.
__device__ __forceinline__ float scale_of_row(const float* squares, float* shared, float epsilon)
{
    float own = 0;
    for (int part = threadIdx.x; part < HIDDEN / 8; part += blockDim.x)
        own += squares[(size_t)blockIdx.x * (HIDDEN / 8) + part];
    return rsqrtf(sum_of_row(own, shared) / HIDDEN + epsilon);
}

// product [rows, (HEADS + 2 KV_HEADS) * HEAD_DIM] in 32 bits -> queries, and keys and values in their pages.
extern "C" __global__ void __launch_bounds__(256) finish_project(const float* product, const float* squares, const element* bias, const float* turns,
    const int* positions, const int* sequences, const int* tables, int table_blocks, float* queries, element* keys, element* values, float epsilon)
{
    constexpr int PROJECTED = (HEADS + 2 * KV_HEADS) * HEAD_DIM;
    __shared__ float shared[32];
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, position = positions[row];
    const float scale = scale_of_row(squares, shared, epsilon);
    if (position < 0)
        return;
    const int block = tables[(size_t)sequences[row] * table_blocks + position / PAGE];
    for (int output = 2 * threadIdx.x; output < PROJECTED; output += 2 * blockDim.x)
    {
        const float2 own = *(const float2*)(product + (size_t)row * PROJECTED + output);
        float y0 = own.x * scale + widen(bias[output]), y1 = own.y * scale + widen(bias[output + 1]);
        const int head = output / HEAD_DIM, within = output % HEAD_DIM;
        if (head < HEADS + KV_HEADS)
        {
            const float2 turn = *(const float2*)(turns + (size_t)position * HEAD_DIM + within);
            const float turned = y0 * turn.x - y1 * turn.y;
            y1 = y0 * turn.y + y1 * turn.x;
            y0 = turned;
        }
        if (head < HEADS)
        {
            *(float2*)(queries + (size_t)row * (HEADS * HEAD_DIM) + output) = make_float2(y0, y1);
            continue;
        }
        const int kv = (head - HEADS) % KV_HEADS;
        element* page = (head < HEADS + KV_HEADS ? keys : values) + (((size_t)block * KV_HEADS + kv) * PAGE + position % PAGE) * HEAD_DIM + within;
        page[0] = narrow(y0);
        page[1] = narrow(y1);
    }
}

// x [rows, HIDDEN], to which the product was added -> x * norm, and sums of squares. A lane for two numbers.
extern "C" __global__ void finish_add(const float* x, const float* norm, element* normed, float* squares)
{
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, at = 2 * threadIdx.x;
    float square = 0;
    if (at < HIDDEN)
    {
        const float2 own = *(const float2*)(x + (size_t)row * HIDDEN + at);
        normed[(size_t)row * HIDDEN + at] = narrow(own.x * norm[at]);
        normed[(size_t)row * HIDDEN + at + 1] = narrow(own.y * norm[at + 1]);
        square = own.x * own.x + own.y * own.y;
    }
    square += __shfl_xor_sync(0xffffffffu, square, 1);
    square += __shfl_xor_sync(0xffffffffu, square, 2);
    if (at < HIDDEN && threadIdx.x % 4 == 0)
        squares[(size_t)row * (HIDDEN / 8) + at / 8] = square;
}

// product [rows, 2 INNER]: gate, then up -> silu(gate) * up, [rows, INNER].
extern "C" __global__ void __launch_bounds__(256) finish_gate(const element* product, const float* squares, element* y, float epsilon)
{
    __shared__ float shared[32];
    release_next();
    wait_for_previous();
    const float scale = scale_of_row(squares, shared, epsilon);
    const element* own = product + (size_t)blockIdx.x * (2 * INNER);
    for (int channel = threadIdx.x; channel < INNER; channel += blockDim.x)
    {
        const float gated = widen(own[channel]) * scale, up = widen(own[INNER + channel]) * scale;
        y[(size_t)blockIdx.x * INNER + channel] = narrow(gated / (1 + __expf(-gated)) * up);
    }
}
