// The products of flow_products.cu for many rows: tiles of both sides in shared memory, copied ahead, and what follows them where the sums are.

#if BF16 && HEAD_DIM == 64

// 128 rows and OUTPUTS outputs; 4 warps, each for 64 rows and half of the outputs.
template <int INPUTS_, int OUTPUTS_>
struct WideRows
{
    static constexpr int THREADS = 128, ROWS = 128, INPUTS = INPUTS_, OUTPUTS = OUTPUTS_;
    static constexpr int STAGES = 3, CHUNK = 64, STAGE = (ROWS + OUTPUTS) * CHUNK;
    static constexpr int SUM_PITCH = OUTPUTS + 8; // so that 4 rows lie in different banks

    static __device__ __forceinline__ void fetch_weight(uint4* shared, const element* weight, int chunk)
    {
        element* const to = (element*)shared + chunk % STAGES * STAGE + ROWS * CHUNK;
        const int part = threadIdx.x % 8;
#pragma unroll
        for (int i = 0; i < OUTPUTS * 8 / THREADS; i++)
        {
            const int row = threadIdx.x / 8 + i * (THREADS / 8);
            copy_async(piece(to, row, part), weight + (size_t)row * INPUTS + chunk * CHUNK + part * 8);
        }
    }

    static __device__ __forceinline__ void fetch_rows(uint4* shared, const element* x, int first, int count, int chunk)
    {
        element* const to = (element*)shared + chunk % STAGES * STAGE;
        const int part = threadIdx.x % 8;
#pragma unroll
        for (int i = 0; i < ROWS * 8 / THREADS; i++)
        {
            const int row = threadIdx.x / 8 + i * (THREADS / 8);
            copy_async(piece(to, row, part), x + (size_t)min(first + row, count - 1) * INPUTS + chunk * CHUNK + part * 8);
        }
    }

    // As FewRows'.
    static __device__ __forceinline__ void fetch(uint4* shared, const element* weight)
    {
#pragma unroll
        for (int chunk = 0; chunk < STAGES - 1; chunk++)
            fetch_weight(shared, weight, chunk);
    }

    template <typename Meanwhile>
    static __device__ __forceinline__ void multiply(uint4* shared, const element* x, const element* weight, int first, int count, Meanwhile meanwhile)
    {
        constexpr int TILES = OUTPUTS / 16; // of 8 outputs, of a warp
        const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, above = warp / 2 * 64, before = warp % 2 * (OUTPUTS / 2);
#pragma unroll
        for (int chunk = 0; chunk < STAGES - 1; chunk++)
        {
            fetch_rows(shared, x, first, count, chunk);
            commit_copies();
        }
        meanwhile();
        float sums[4][TILES][4] = {};
#pragma unroll 1
        for (int chunk = 0; chunk < INPUTS / CHUNK; chunk++)
        {
            wait_copies<STAGES - 2>();
            __syncthreads();
            if (chunk + STAGES - 1 < INPUTS / CHUNK)
            {
                fetch_weight(shared, weight, chunk + STAGES - 1);
                fetch_rows(shared, x, first, count, chunk + STAGES - 1);
            }
            commit_copies();
            element* const rows = (element*)shared + chunk % STAGES * STAGE;
            element* const outputs = rows + ROWS * CHUNK;
#pragma unroll
            for (int k = 0; k < CHUNK / 16; k++)
            {
                u32 a[4][4];
#pragma unroll
                for (int m = 0; m < 4; m++)
                    load_matrices(a[m], piece(rows, above + m * 16 + lane % 16, k * 2 + lane / 16));
#pragma unroll
                for (int n = 0; n < TILES; n += 2)
                {
                    u32 b[4];
                    load_matrices(b, piece(outputs, before + n * 8 + lane / 16 * 8 + lane % 8, k * 2 + lane / 8 % 2));
#pragma unroll
                    for (int m = 0; m < 4; m++)
                    {
                        multiply_add(sums[m][n], a[m][0], a[m][1], a[m][2], a[m][3], b[0], b[1]);
                        multiply_add(sums[m][n + 1], a[m][0], a[m][1], a[m][2], a[m][3], b[2], b[3]);
                    }
                }
            }
        }
        wait_copies<0>();
        __syncthreads(); // nobody reads the tiles
        float* const to = (float*)shared + (above + lane / 4) * SUM_PITCH + before + lane % 4 * 2;
#pragma unroll
        for (int m = 0; m < 4; m++)
#pragma unroll
            for (int n = 0; n < TILES; n++)
            {
                *(float2*)(to + m * 16 * SUM_PITCH + n * 8) = make_float2(sums[m][n][0], sums[m][n][1]);
                *(float2*)(to + (m * 16 + 8) * SUM_PITCH + n * 8) = make_float2(sums[m][n][2], sums[m][n][3]);
            }
        __syncthreads();
    }

    static __device__ __forceinline__ float2 sum(const uint4* shared, int row, int output)
    {
        return *(const float2*)((const float*)shared + row * SUM_PITCH + output);
    }
};

// As added_product.
template <int INPUTS, int OUTPUTS>
__device__ __forceinline__ void added_product_wide(const element* x, const element* weight, const element* bias, const float* gate,
    const float* scale, float* h, element* scaled, float2* moments, int count)
{
    using Product = WideRows<INPUTS, OUTPUTS>;
    extern __shared__ uint4 shared[];
    const int first = blockIdx.y * Product::ROWS, within = threadIdx.x % (OUTPUTS / 2) * 2, output = blockIdx.x * OUTPUTS + within;
    const element* const own = weight + (size_t)blockIdx.x * OUTPUTS * INPUTS;
    release_next();
    Product::fetch(shared, own);
    wait_for_previous();
    Product::multiply(shared, x, own, first, count, [] {});
    const float2 gates = *(const float2*)(gate + output), scales = *(const float2*)(scale + output);
    const float bias0 = widen(bias[output]), bias1 = widen(bias[output + 1]);
#pragma unroll 4
    for (int row = threadIdx.x / (OUTPUTS / 2); row < Product::ROWS; row += Product::THREADS / (OUTPUTS / 2))
    {
        const bool there = first + row < count;
        float2* const place = (float2*)(h + (size_t)min(first + row, count - 1) * DIM + output);
        const float2 sum = Product::sum(shared, row, within), before = *place;
        const float x0 = before.x + (sum.x + bias0) * gates.x, x1 = before.y + (sum.y + bias1) * gates.y;
        const float2 slot = moments_of_slot(x0, x1);
        if (!there)
            continue;
        *place = make_float2(x0, x1);
        *(u32*)(scaled + (size_t)(first + row) * DIM + output) = narrow_pair(x0 * scales.x, x1 * scales.y);
        if (threadIdx.x % 16 == 0)
            moments[(size_t)(first + row) * SLOTS + output / SLOT] = slot;
    }
}

#define WIDE(OUTPUTS) \
    extern "C" __global__ void __launch_bounds__(128, 2) flow_project_##OUTPUTS(const element* x, const float2* moments, const element* weight, \
        const float* slope, const float* offset, const float* turns, const long long* places, int columns, element* qkv, element* pages, int count, \
        float epsilon) \
    { \
        normed_product<WideRows<DIM, OUTPUTS>>(x, moments, weight, count, epsilon, \
            Projection { slope, offset, turns, places, columns, qkv, pages }); \
    } \
    extern "C" __global__ void __launch_bounds__(128, 2) flow_up_##OUTPUTS(const element* x, const float2* moments, const element* weight, \
        const float* slope, const float* offset, element* y, int count, float epsilon) \
    { \
        normed_product<WideRows<DIM, OUTPUTS>>(x, moments, weight, count, epsilon, Activation { slope, offset, y }); \
    } \
    extern "C" __global__ void __launch_bounds__(128, 2) flow_out_##OUTPUTS(const element* x, const element* weight, const element* bias, \
        const float* gate, const float* scale, float* h, element* scaled, float2* moments, int count) \
    { \
        added_product_wide<DIM, OUTPUTS>(x, weight, bias, gate, scale, h, scaled, moments, count); \
    } \
    extern "C" __global__ void __launch_bounds__(128, 2) flow_down_##OUTPUTS(const element* x, const element* weight, const element* bias, \
        const float* gate, const float* scale, float* h, element* scaled, float2* moments, int count) \
    { \
        added_product_wide<HIDDEN, OUTPUTS>(x, weight, bias, gate, scale, h, scaled, moments, count); \
    }

WIDE(64)
WIDE(128)

#endif
