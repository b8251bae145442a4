// The products of flow_products.cu by groups of four warps, which multiply what lies in shared memory (tiles.cuh).

#if BF16 && HEAD_DIM == 64 && HAS_GROUPS

// What this thread's copies brought is seen by the products of tiles that follow.
__device__ __forceinline__ void show_tiles() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// d[64, N] += a[64, 16] b[N, 16] of tiles of rows, of which each warp has 16 rows as at multiply_add. There after the wait.
__device__ __forceinline__ void multiply_rows(float (&d)[4][4], u64 a, u64 b)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %18, 0;\nwgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, %16, %17, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3])
        : "l"(a), "l"(b), "r"(1));
}

__device__ __forceinline__ void multiply_rows(float (&d)[6][4], u64 a, u64 b)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %26, 0;\nwgmma.mma_async.sync.aligned.m64n48k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23}, %24, %25, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3])
        : "l"(a), "l"(b), "r"(1));
}

// A block's product of up to ROWS rows and OUTPUTS outputs, as FewRows, of one of SLICES equal parts of the inputs. Shared memory from a multiple of
// 1,024 bytes on: a ring of the rows' tiles [RING][rows, 64], then the weights, from before the kernels before have ended, [stage][OUTPUTS, 64]; at
// the end the sums. A group of warps takes 64 rows; those that are not there are what lies behind, whose sums nobody reads.
template <int INPUTS, int ROWS_, int OUTPUTS_, int SLICES = 1>
struct GroupRows
{
    static constexpr int THREADS = FEW_THREADS, ROWS = ROWS_, OUTPUTS = OUTPUTS_, SLICE = INPUTS / SLICES;
    static constexpr int STAGE = 64, STAGES = SLICE / STAGE, RING = 4, PITCH = OUTPUTS + 8;

    static __device__ __forceinline__ element* begin(const uint4* shared)
    {
        return (element*)(shared + (0u - (u32)__cvta_generic_to_shared(shared)) % 1024 / 16);
    }

    static __device__ __forceinline__ int slot(int rows) { return (rows + 7) / 8 * 8 * STAGE; }

    static __device__ __forceinline__ void fetch(uint4* shared, const element* weight, int rows)
    {
        constexpr int PARTS = SLICE / 8;
        element* const tiles = begin(shared) + RING * slot(rows);
        for (int i = threadIdx.x; i < OUTPUTS * PARTS; i += THREADS)
        {
            const int output = i / PARTS, part = i % PARTS;
            copy_async(tiles + (part / 8 * OUTPUTS + output) * STAGE + ((part ^ output) & 7) * 8, weight + (size_t)output * INPUTS + part * 8);
        }
        commit_copies();
    }

    template <typename Meanwhile>
    static __device__ __forceinline__ void multiply(uint4* shared, const element* x, int first, int end, Meanwhile meanwhile)
    {
        const int lane = threadIdx.x % 32, rows = end - first, slot = GroupRows::slot(rows), group = threadIdx.x / 128 * 64;
        const bool multiplies = group < rows;
        element* const ring = begin(shared);
        element* const weights = ring + RING * slot;
        auto load = [&](int stage)
        {
            if (stage < STAGES)
#pragma unroll
                for (int i = 0; i < ROWS * 8 / THREADS; i++)
                {
                    const int item = threadIdx.x + i * THREADS, row = item / 8, part = item % 8;
                    if (row < rows)
                        copy_async(ring + stage % RING * slot + row * STAGE + ((part ^ row) & 7) * 8,
                            x + (size_t)(first + row) * INPUTS + stage * STAGE + part * 8);
                }
            commit_copies();
        };
#pragma unroll
        for (int stage = 0; stage < RING - 1; stage++)
            load(stage);
        meanwhile();
        float sums[OUTPUTS / 8][4] = {};
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++)
        {
            wait_copies<RING - 2>();
            show_tiles();
            if (multiplies)
                wait_products<0>(); // the tile before is read
            __syncthreads();
            if (multiplies)
            {
                const u64 a = describe_tile(ring + stage % RING * slot + group * STAGE), b = describe_tile(weights + stage * OUTPUTS * STAGE);
                begin_products();
#pragma unroll
                for (int k = 0; k < STAGE / 16; k++)
                    multiply_rows(sums, a + 2 * k, b + 2 * k); // 32 bytes on
                commit_products();
            }
            load(stage + RING - 1);
        }
        wait_products<0>();
#pragma unroll
        for (int i = 0; i < OUTPUTS / 2; i++)
            asm volatile("" : "+f"(sums[i / 4][i % 4]) :: "memory");
        __syncthreads(); // nobody reads tiles
        if (multiplies)
        {
            float* const to = (float*)ring + (group + threadIdx.x / 32 % 4 * 16 + lane / 4) * PITCH + lane % 4 * 2;
#pragma unroll
            for (int n = 0; n < OUTPUTS / 8; n++)
            {
                *(float2*)(to + n * 8) = make_float2(sums[n][0], sums[n][1]);
                *(float2*)(to + 8 * PITCH + n * 8) = make_float2(sums[n][2], sums[n][3]);
            }
        }
        __syncthreads();
    }

    static __device__ __forceinline__ const float2* place(const uint4* shared, int row, int output)
    {
        return (const float2*)((const float*)begin(shared) + row * PITCH + output);
    }

    static __device__ __forceinline__ float2 sum(const uint4* shared, int row, int output) { return *place(shared, row, output); }
};

// As added_product, by two blocks, each of which multiplies half of the inputs and finishes half of the rows: inputs twice as long as the other
// products' would leave no room beside a block for the next kernel's.
template <int INPUTS, int ROWS>
__device__ __forceinline__ void added_halves(const element* x, const element* weight, const element* bias, const float* gate, const float* scale,
    float* h, element* scaled, float2* moments, int count)
{
    using Product = GroupRows<INPUTS, ROWS, SLOT, 2>;
    extern __shared__ uint4 shared[];
    const int slot = blockIdx.x / 2, rank = cluster_rank(), each = (count + gridDim.y - 1) / gridDim.y;
    const int first = blockIdx.y * each, end = min(first + each, count), half = (end - first + 1) / 2;
    const int own = first + rank * half, own_end = min(own + half, end);
    const int within = threadIdx.x % 16 * 2, output = slot * SLOT + within;
    release_next();
    Product::fetch(shared, weight + (size_t)slot * SLOT * INPUTS + rank * Product::SLICE, end - first);
    const float2 gates = *(const float2*)(gate + output), scales = *(const float2*)(scale + output);
    const float bias0 = widen(bias[output]), bias1 = widen(bias[output + 1]);
    wait_for_previous();
    constexpr int PASSES = ROWS / 2 * 16 / FEW_THREADS;
    float2 before[PASSES], sums[PASSES];
    Product::multiply(shared, x + rank * Product::SLICE, first, end, [&]
    {
#pragma unroll
        for (int i = 0; i < PASSES; i++)
            before[i] = *(const float2*)(h + (size_t)min(own + (int)threadIdx.x / 16 + i * 16, end - 1) * DIM + output);
    });
    cluster_sync();
#pragma unroll
    for (int i = 0; i < PASSES; i++)
    {
        const float2* place = Product::place(shared, min(own + (int)threadIdx.x / 16 + i * 16, end - 1) - first, within);
        const float2 low = load_remote(place, 0), high = load_remote(place, 1); // in this order in both blocks
        sums[i] = make_float2(low.x + high.x, low.y + high.y);
    }
    cluster_arrive();
#pragma unroll
    for (int i = 0; i < PASSES; i++)
    {
        const int row = own + threadIdx.x / 16 + i * 16;
        const float x0 = before[i].x + (sums[i].x + bias0) * gates.x, x1 = before[i].y + (sums[i].y + bias1) * gates.y;
        const float2 of_slot = moments_of_slot(x0, x1);
        if (row >= own_end)
            continue;
        *(float2*)(h + (size_t)row * DIM + output) = make_float2(x0, x1);
        *(u32*)(scaled + (size_t)row * DIM + output) = narrow_pair(x0 * scales.x, x1 * scales.y);
        if (threadIdx.x % 16 == 0)
            moments[(size_t)row * SLOTS + slot] = of_slot;
    }
    cluster_wait(); // the other may still read this block's sums
}

#define GROUP_KERNELS(ROWS) \
    extern "C" __global__ void __launch_bounds__(FEW_THREADS) flow_project_group_##ROWS(const element* x, const float2* moments, \
        const element* weight, const float* slope, const float* offset, const float* turns, const long long* places, int columns, element* qkv, \
        element* pages, int count, float epsilon) \
    { \
        normed_product<GroupRows<DIM, ROWS, 48>>(x, moments, weight, count, epsilon, \
            Projection { slope, offset, turns, places, columns, qkv, pages }); \
    } \
    extern "C" __global__ void __launch_bounds__(FEW_THREADS) flow_up_group_##ROWS(const element* x, const float2* moments, const element* weight, \
        const float* slope, const float* offset, element* y, int count, float epsilon) \
    { \
        normed_product<GroupRows<DIM, ROWS, 32>>(x, moments, weight, count, epsilon, Activation { slope, offset, y }); \
    } \
    extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(FEW_THREADS) flow_down_group_##ROWS(const element* x, \
        const element* weight, const element* bias, const float* gate, const float* scale, float* h, element* scaled, float2* moments, int count) \
    { \
        added_halves<HIDDEN, ROWS>(x, weight, bias, gate, scale, h, scaled, moments, count); \
    }

GROUP_KERNELS(64)
GROUP_KERNELS(128)

#endif
