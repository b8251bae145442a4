// The vocoder's activation.

// x + sin(a x)^2 / a, a per channel. x: rows and channels so many numbers apart, columns side by side; y [rows, channels, columns].
extern "C" __global__ void __launch_bounds__(256) snake(const float* x, long long row_stride, long long channel_stride, const float* alpha,
    const float* inverse, float* y, int channels, int columns)
{
    release_next();
    wait_for_previous();
    const int channel = blockIdx.y, row = blockIdx.z;
    const float a = alpha[channel], scale = inverse[channel];
    const float* from = x + row * row_stride + channel * channel_stride;
    float* to = y + ((size_t)row * channels + channel) * columns;
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        const int column = (blockIdx.x * 4 + i) * blockDim.x + threadIdx.x;
        if (column < columns)
        {
            const float value = from[column], sine = sinf(a * value);
            to[column] = value + sine * (sine * scale);
        }
    }
}
