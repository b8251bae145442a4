// What stands around the matrix products of the flow's transformer for few rows, in bfloat16 on the tensor cores. DIM: its width, HIDDEN: its
// feed-forward part's, FRAMES: frames of a page.
// Norm and modulation are taken apart so that they cost no kernel of their own. With m and d mean and deviation of a row of h:
//   ((h - m) / d * scale + shift) Wᵀ + b = ((h * scale) Wᵀ - m slope) / d + offset, slope = W scale, offset = W shift + b.
// h * scale ("scaled") and the moments of each slot of a row are written where h is; slope and offset are a table of the solver step.

#if BF16 && HEAD_DIM == 64

constexpr int SLOT = 32;          // numbers of a row that have their moments together: outputs of a block that writes them
constexpr int SLOTS = DIM / SLOT;
constexpr int FEW_THREADS = 256;

// The moments of a slot, of which 16 lanes side by side have two numbers each.
__device__ __forceinline__ float2 moments_of_slot(float x0, float x1)
{
    float sum = x0 + x1;
#pragma unroll
    for (int distance = 8; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    const float mean = sum / SLOT;
    float squares = (x0 - mean) * (x0 - mean) + (x1 - mean) * (x1 - mean);
#pragma unroll
    for (int distance = 8; distance > 0; distance /= 2)
        squares += __shfl_xor_sync(0xffffffffu, squares, distance);
    return make_float2(sum, squares);
}

// A warp's sums of 32 rows, one of SPLITS parts of the inputs, to shared memory: [split][ROWS][OUTPUTS], with a pitch so that 4 rows lie in different
// banks.
template <int ROWS, int OUTPUTS>
__device__ __forceinline__ void share_sums(uint4* shared, const float (&sums)[2][OUTPUTS / 8][4], int split, int part)
{
    constexpr int PITCH = OUTPUTS + 8;
    float* const to = (float*)shared + (split * ROWS + part * 32 + threadIdx.x % 32 / 4) * PITCH + threadIdx.x % 4 * 2;
#pragma unroll
    for (int m = 0; m < 2; m++)
#pragma unroll
        for (int n = 0; n < OUTPUTS / 8; n++)
        {
            *(float2*)(to + m * 16 * PITCH + n * 8) = make_float2(sums[m][n][0], sums[m][n][1]);
            *(float2*)(to + (m * 16 + 8) * PITCH + n * 8) = make_float2(sums[m][n][2], sums[m][n][3]);
        }
}

// Two outputs of a row, all parts together.
template <int ROWS, int OUTPUTS>
__device__ __forceinline__ float2 gather_sums(const uint4* shared, int row, int output)
{
    float2 sum = make_float2(0, 0);
#pragma unroll
    for (int split = 0; split < FEW_THREADS / 32 / (ROWS / 32); split++)
    {
        const float2 part = *(const float2*)((const float*)shared + (split * ROWS + row) * (OUTPUTS + 8) + output);
        sum.x += part.x;
        sum.y += part.y;
    }
    return sum;
}

// What follows the products, two numbers of a row at a time. What depends on the step alone is read before the wait.

// Queries, keys and values -> qkv [count, 3 DIM]; keys and values to the pages instead, where there are any: [*, 2 DIM], a block's own at the last of
// its `columns` places. Of queries and keys the first head is turned: turns [count / 2, HEAD_DIM], cosine and sine of each pair.
struct Projection
{
    const float* slope;
    const float* offset;
    const float* turns;
    const long long* places;
    int columns;
    element* qkv;
    element* pages;

    // Where a row's keys and values go.
    __device__ __forceinline__ element* row(int row, int count) const
    {
        if (pages == nullptr)
            return qkv + (size_t)row * (3 * DIM) + DIM;
        const int frames = count / 2, frame = row % frames;
        const size_t place = places[(size_t)(frame / FRAMES) * columns + columns - 1] + row / frames * FRAMES + frame % FRAMES;
        return pages + place * (2 * DIM);
    }

    __device__ __forceinline__ void finish(int row, element* kept, int output, int count, float y0, float y1) const
    {
        const int part = output / DIM, within = output % DIM;
        if (part < 2 && within < HEAD_DIM)
        {
            const float2 turn = *(const float2*)(turns + (size_t)(row % (count / 2)) * HEAD_DIM + within);
            // In the precision in which they would lie between two kernels.
            const float u0 = widen(to_bf16(y0)), u1 = widen(to_bf16(y1));
            y0 = u0 * turn.x - u1 * turn.y;
            y1 = u0 * turn.y + u1 * turn.x;
        }
        *(u32*)(part > 0 ? kept + output - DIM : qkv + (size_t)row * (3 * DIM) + output) = narrow_pair(y0, y1);
    }
};

// GELU, by the hyperbolic tangent -> y [count, HIDDEN].
struct Activation
{
    const float* slope;
    const float* offset;
    element* y;

    static __device__ __forceinline__ float gelu(float x)
    {
        return __fdividef(x, 1 + __expf(-1.5957691216057308f * (x + 0.044715f * x * x * x))); // 2 sqrt(2 / pi)
    }

    __device__ __forceinline__ element* row(int row, int) const { return y + (size_t)row * HIDDEN; }

    __device__ __forceinline__ void finish(int, element* to, int output, int, float y0, float y1) const
    {
        *(u32*)(to + output) = narrow_pair(gelu(y0), gelu(y1));
    }
};

#endif
