// Attention of single queries over the pages of their sequences (flash decoding): a block takes SPAN positions of one sequence for the query heads
// that share a key head; the last block of a row puts the parts together. Rows of a prompt are rows like others, each with its own position.
// Where the parts begin depends on positions alone: a row gets the same bits in any company.
// queries [rows, HEADS, HEAD_DIM] in 32 bits; pages [block, KV_HEADS, PAGE, HEAD_DIM]; parts [rows, KV_HEADS, spans, GROUP, HEAD_DIM + 2];
// arrivals [rows, KV_HEADS], zero before and after; y [rows, HEADS * HEAD_DIM].
// Floor: the sequences' keys and values, once, at the memory's speed.

#define SPAN 128
#define GROUP (HEADS / KV_HEADS)
#define PARTS (HEAD_DIM + 2)

// Eight numbers of a page, as they are loaded and as they are used.
struct Eight
{
#if BF16
    uint4 raw;
#else
    float4 first, second;
#endif
};

__device__ __forceinline__ Eight load_eight(const element* address)
{
#if BF16
    return { *(const uint4*)address };
#else
    return { *(const float4*)address, *(const float4*)(address + 4) };
#endif
}

__device__ __forceinline__ void widen_eight(float (&v)[8], const Eight& eight)
{
#if BF16
    v[0] = lower(eight.raw.x), v[1] = upper(eight.raw.x), v[2] = lower(eight.raw.y), v[3] = upper(eight.raw.y);
    v[4] = lower(eight.raw.z), v[5] = upper(eight.raw.z), v[6] = lower(eight.raw.w), v[7] = upper(eight.raw.w);
#else
    v[0] = eight.first.x, v[1] = eight.first.y, v[2] = eight.first.z, v[3] = eight.first.w;
    v[4] = eight.second.x, v[5] = eight.second.y, v[6] = eight.second.z, v[7] = eight.second.w;
#endif
}

extern "C" __global__ void __launch_bounds__(SPAN) attend(const float* queries, const element* keys, const element* values, const int* positions,
    const int* sequences, const int* tables, int table_blocks, float* parts, int* arrivals, element* y, float scale)
{
    constexpr int SLICES = HEAD_DIM / 8;       // lanes that share a value's row
    constexpr int STRIDES = SPAN / SLICES;     // positions side by side
    __shared__ float q[GROUP][HEAD_DIM];
    __shared__ float weights[GROUP][SPAN];
    __shared__ float peaks[GROUP], totals[GROUP];
    __shared__ float sums[SPAN / 32][GROUP][HEAD_DIM];
    __shared__ bool is_last;
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, kv = blockIdx.y, span = blockIdx.z, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int length = positions[row] + 1, spans = max(1, (length + SPAN - 1) / SPAN);
    if (span >= spans)
        return;
    element* out = y + (size_t)row * (HEADS * HEAD_DIM) + kv * GROUP * HEAD_DIM;
    if (length <= 0)
    {
        for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += SPAN)
            out[i] = narrow(0);
        return;
    }
    // All loads go out before anything waits for one: first the keys, a lane a position, then values, a lane 8 numbers of every STRIDES-th.
    const int* table = tables + (size_t)sequences[row] * table_blocks;
    const int first = span * SPAN, here = min(SPAN, length - first);
    Eight key[SLICES], value[SPAN / STRIDES];
    if (threadIdx.x < here)
    {
        const int position = first + threadIdx.x;
        const element* own = keys + (((size_t)table[position / PAGE] * KV_HEADS + kv) * PAGE + position % PAGE) * HEAD_DIM;
#pragma unroll
        for (int i = 0; i < SLICES; i++)
            key[i] = load_eight(own + i * 8);
    }
    const int slice = threadIdx.x % SLICES * 8;
#pragma unroll
    for (int i = 0; i < SPAN / STRIDES; i++)
    {
        const int at = threadIdx.x / SLICES + i * STRIDES, position = first + at;
        if (at < here)
            value[i] = load_eight(values + (((size_t)table[position / PAGE] * KV_HEADS + kv) * PAGE + position % PAGE) * HEAD_DIM + slice);
    }
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += SPAN)
        q[i / HEAD_DIM][i % HEAD_DIM] = queries[(size_t)row * (HEADS * HEAD_DIM) + kv * GROUP * HEAD_DIM + i] * scale;
    __syncthreads();

    float score[GROUP];
#pragma unroll
    for (int h = 0; h < GROUP; h++)
        score[h] = 0;
    if (threadIdx.x < here)
    {
#pragma unroll
        for (int part = 0; part < SLICES; part++)
        {
            float k[8];
            widen_eight(k, key[part]);
#pragma unroll
            for (int h = 0; h < GROUP; h++)
#pragma unroll
                for (int i = 0; i < 8; i++)
                    score[h] += q[h][part * 8 + i] * k[i];
        }
    }
#pragma unroll
    for (int h = 0; h < GROUP; h++)
        weights[h][threadIdx.x] = threadIdx.x < here ? score[h] : -INFINITY;
    __syncthreads();
    for (int h = warp; h < GROUP; h += SPAN / 32)
    {
        float peak = -INFINITY;
        for (int i = lane; i < SPAN; i += 32)
            peak = fmaxf(peak, weights[h][i]);
        // fmaxf leaves out what is not a number: that shows in the sum.
#pragma unroll
        for (int distance = 16; distance > 0; distance /= 2)
            peak = fmaxf(peak, __shfl_xor_sync(0xffffffffu, peak, distance));
        float total = 0;
        for (int i = lane; i < SPAN; i += 32)
        {
            const float weight = i < here ? __expf(weights[h][i] - peak) : 0;
            weights[h][i] = weight;
            total += weight;
        }
#pragma unroll
        for (int distance = 16; distance > 0; distance /= 2)
            total += __shfl_xor_sync(0xffffffffu, total, distance);
        if (lane == 0)
        {
            peaks[h] = peak;
            totals[h] = total;
        }
    }
    __syncthreads();

    float sum[GROUP][8];
#pragma unroll
    for (int h = 0; h < GROUP; h++)
#pragma unroll
        for (int i = 0; i < 8; i++)
            sum[h][i] = 0;
#pragma unroll
    for (int i = 0; i < SPAN / STRIDES; i++)
    {
        const int at = threadIdx.x / SLICES + i * STRIDES;
        if (at >= here)
            break;
        float v[8];
        widen_eight(v, value[i]);
#pragma unroll
        for (int h = 0; h < GROUP; h++)
#pragma unroll
            for (int j = 0; j < 8; j++)
                sum[h][j] += weights[h][at] * v[j];
    }
#pragma unroll
    for (int h = 0; h < GROUP; h++)
#pragma unroll
        for (int i = 0; i < 8; i++)
        {
#pragma unroll
            for (int distance = SLICES; distance < 32; distance *= 2)
                sum[h][i] += __shfl_xor_sync(0xffffffffu, sum[h][i], distance);
            if (lane < SLICES)
                sums[warp][h][slice + i] = sum[h][i];
        }
    __syncthreads();
    float* own = parts + (((size_t)row * KV_HEADS + kv) * gridDim.z + span) * (GROUP * PARTS);
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += SPAN)
    {
        const int h = i / HEAD_DIM, d = i % HEAD_DIM;
        float whole = 0;
#pragma unroll
        for (int w = 0; w < SPAN / 32; w++)
            whole += sums[w][h][d];
        if (spans == 1)
            out[i] = narrow(whole / totals[h]);
        else
        {
            own[h * PARTS + d] = whole;
            if (d == 0)
            {
                own[h * PARTS + HEAD_DIM] = peaks[h];
                own[h * PARTS + HEAD_DIM + 1] = totals[h];
            }
        }
    }
    if (spans == 1)
        return;

    // Whoever comes last finds the parts of all.
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0)
    {
        int* arrived = arrivals + row * KV_HEADS + kv;
        is_last = atomicAdd(arrived, 1) == spans - 1;
        if (is_last)
            *arrived = 0;
    }
    __syncthreads();
    if (!is_last)
        return;
    __threadfence();
    const float* all = parts + ((size_t)row * KV_HEADS + kv) * gridDim.z * (GROUP * PARTS);
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += SPAN)
    {
        const int h = i / HEAD_DIM, d = i % HEAD_DIM;
        float peak = -INFINITY;
        for (int s = 0; s < spans; s++)
            peak = fmaxf(peak, __ldcg(all + (s * GROUP + h) * PARTS + HEAD_DIM));
        float total = 0, whole = 0;
        for (int s = 0; s < spans; s++)
        {
            const float* part = all + (s * GROUP + h) * PARTS;
            const float weight = __expf(__ldcg(part + HEAD_DIM) - peak);
            total += weight * __ldcg(part + HEAD_DIM + 1);
            whole += weight * __ldcg(part + d);
        }
        out[i] = narrow(whole / total);
    }
}
